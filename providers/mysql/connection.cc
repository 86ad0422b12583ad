#include "providers/mysql/connection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <mutex>

#include "providers/mysql/client_library.h"
#include "providers/mysql/login_trouble.h"
#include "providers/mysql/system_authorities.h"

namespace stemma::mysql {
namespace {

// Numbers that both libraries share.
constexpr unsigned first_client_error = 2000, last_client_error = 2999;
constexpr unsigned server_gone = 2006, tls_failed = 2026;

constexpr unsigned client_auth_errors[] = {
    2049,  // the server uses an authentication of before 4.1
    2059,  // the client has no such authentication plugin
    2061,  // the authentication plugin gave up
};
// Said by a server that would let us in at another time.
constexpr unsigned server_busy_errors[] = {
    1040,  // too many connections
    1053,  // shutdown in progress
    1135,  // can't create a thread
    1203,  // the account has all its connections in use
    3032,  // offline mode
};
// Errors that a server sends as its last word before it closes the connection.
constexpr unsigned farewell_errors[] = {
    1053,  // shutdown in progress
    1077,  // normal shutdown
    1927,  // connection was killed (MariaDB)
    3169,  // session was killed (MySQL)
    4031,  // closed after inactivity (MySQL)
};

template <std::size_t N>
bool listed(const unsigned (&numbers)[N], unsigned number) {
  return std::find(std::begin(numbers), std::end(numbers), number) != std::end(numbers);
}

bool is_client_error(unsigned number) { return number >= first_client_error && number <= last_client_error; }

// After an error of the library's own nobody knows where in the stream the next answer begins.
bool breaks_connection(unsigned number) { return is_client_error(number) || listed(farewell_errors, number); }

std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string last_message(MYSQL* handle) {
  return fmt::format("{} {}", mysql_errno(handle), on_one_line(mysql_error(handle)));
}

Error connect_error(MYSQL* handle, const Address& address) {
  const unsigned number = mysql_errno(handle);
  const bool answered =
      is_client_error(number) ? listed(client_auth_errors, number) : !listed(server_busy_errors, number);
  std::string message = last_message(handle);
  std::string hint = connect_hint(number, message, address);
  return Error{.trouble = answered ? Trouble::denied : Trouble::unreachable,
               .message = std::move(message),
               .hint = std::move(hint),
               .number = static_cast<int>(number),
               .code = {}};
}

// The library keeps memory for each thread that uses it and wants it back at the thread's end.
class ThreadGuard {
 public:
  ThreadGuard() { mysql_thread_init(); }
  ~ThreadGuard() { mysql_thread_end(); }
  ThreadGuard(const ThreadGuard&) = delete;
  ThreadGuard& operator=(const ThreadGuard&) = delete;
};

void enter_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  thread_local const ThreadGuard guard;
  static_cast<void>(guard);
}

// The options take whole seconds, and 0 means for ever.
unsigned whole_seconds(std::chrono::milliseconds time) {
  return static_cast<unsigned>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(time).count()));
}

struct ResultDeleter {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

Table to_table(MYSQL_RES* result) {
  Table table;
  const unsigned columns = mysql_num_fields(result);
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < columns; ++i) table.columns.emplace_back(fields[i].name);
  table.rows.reserve(mysql_num_rows(result));
  while (const MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    auto& cells = table.rows.emplace_back();
    cells.reserve(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] == nullptr)
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(std::string(row[i], lengths[i]));
    }
  }
  return table;
}

bool same_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::optional<std::string> Table::at(std::size_t row, std::string_view column) const {
  if (row >= rows.size()) return std::nullopt;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (same_without_case(columns[i], column)) return i < rows[row].size() ? rows[row][i] : std::nullopt;
  return std::nullopt;
}

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\0': escaped += "\\0"; break;
      case '\n': escaped += "\\n"; break;
      case '\r': escaped += "\\r"; break;
      case '\x1a': escaped += "\\Z"; break;
      case '\\':
      case '\'':
      case '"':
        escaped += '\\';
        escaped += c;
        break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::vector<std::string> session_setup() {
  return {
      // The rest of sql_mode stays: without NO_AUTO_CREATE_USER, which newer servers do not know by
      // name, a GRANT to an account that is gone would make a new one without a password.
      "SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', '')",
      // Oracle's library asks for a collation that MariaDB does not know and then silently ignores.
      "SET NAMES utf8mb4",
  };
}

struct Connection::Handle {
  MYSQL* mysql = mysql_init(nullptr);
  bool alive = false;
  std::chrono::seconds patience{};                    // the longest silence, as the library takes it
  std::chrono::steady_clock::time_point waits_since;  // for the answer that is awaited

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (mysql == nullptr) return;
    enter_library();  // perhaps another thread than the one that opened it
    mysql_close(mysql);
  }

  void set_options(const Tls& tls, const Timeouts& timeouts, bool over_socket) {
    const unsigned connect = whole_seconds(timeouts.connect);
    const unsigned read = whole_seconds(timeouts.read);
    patience = std::chrono::seconds(read);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &read);
    // Otherwise the host "localhost" would mean the socket of whatever server lives there.
    const unsigned protocol = over_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    const unsigned no = 0;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "stemma");
    library::set_tls(mysql, tls);
    library::prepare_sha2_password(mysql);
  }

  bool connect(const Address& address, const Credentials& credentials) {
    const WithoutSystemAuthorities named_ones_only;
    const bool over_socket = !address.socket.empty();
    alive = mysql_real_connect(mysql, over_socket ? nullptr : address.host.c_str(), credentials.user.c_str(),
                               credentials.password.reveal().c_str(), nullptr, over_socket ? 0 : address.port,
                               over_socket ? address.socket.c_str() : nullptr,
                               CLIENT_MULTI_STATEMENTS) != nullptr;
    return alive;
  }

  Error statement_error() {
    const unsigned number = mysql_errno(mysql);
    Error error{.trouble = Trouble::refused,
                .message = last_message(mysql),
                .hint = {},
                .number = static_cast<int>(number),
                .code = {}};
    if (!breaks_connection(number)) return error;
    // The library has the same words for a silence that it ended itself.
    const bool silence = std::chrono::steady_clock::now() - waits_since >= patience;
    alive = false;
    error.trouble = Trouble::unreachable;
    error.hint = "the connection broke: whether the statement took effect is not known";
    if (silence) {
      error.message = fmt::format("no answer within {} s: {}", patience.count(), error.message);
      error.hint = "the server may still be at it: whether the statement took effect is not known";
    }
    return error;
  }
};

Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const Address& address, const Credentials& credentials,
                                    const Timeouts& timeouts) {
  enter_library();
  Tls tls = credentials.tls;
  const bool over_socket = !address.socket.empty();
  // Nobody listens in on a socket, so there is nothing to prefer.
  if (over_socket && tls.mode == TlsMode::preferred) tls.mode = TlsMode::disabled;
  if (auto fit = check_tls(tls, library::switch_against_verification()); !fit)
    return tl::unexpected(fit.error());
  if (tls.mode == TlsMode::verify_identity && !over_socket && !library::compares_name_with(address.host))
    return tl::unexpected(name_not_compared(address.host));

  const auto open_with = [&](TlsMode mode) -> Result<Connection> {
    tls.mode = mode;
    auto handle = std::make_unique<Handle>();
    if (handle->mysql == nullptr) return fail(Trouble::bug, "the client library is out of memory");
    handle->set_options(tls, timeouts, over_socket);
    if (!handle->connect(address, credentials)) return tl::unexpected(connect_error(handle->mysql, address));
    return Connection(std::move(handle));
  };
  auto opened = open_with(tls.mode);
  // An old server may offer only a TLS that this machine no longer speaks. `preferred` promises nothing
  // that a listener in between could not take away anyway.
  if (!opened && opened.error().number == static_cast<int>(tls_failed) && tls.mode == TlsMode::preferred)
    opened = open_with(TlsMode::disabled);
  if (opened && tls.mode >= TlsMode::required && !opened->encrypted()) {
    return tl::unexpected(
        Error{.trouble = Trouble::unreachable,
              .message = "the server offers no TLS, and this login must be encrypted",
              .hint = "give it a certificate (ssl_cert, ssl_key), or set tls to \"preferred\"",
              .number = static_cast<int>(tls_failed),
              .code = {}});
  }
  return opened;
}

Result<Table> Connection::query(const std::string& statement) {
  Batch batch = query_all({statement});
  if (batch.failed) return tl::unexpected(std::move(*batch.failed));
  return batch.results.empty() ? Table{} : std::move(batch.results.front());
}

Connection::Batch Connection::query_all(const std::vector<std::string>& statements) {
  Batch batch;
  if (statements.empty()) return batch;
  if (!handle_->alive) {
    batch.failed = Error{.trouble = Trouble::unreachable,
                         .message = "the connection was lost before",
                         .hint = {},
                         .number = static_cast<int>(server_gone),
                         .code = {}};
    return batch;
  }
  enter_library();
  const std::string packet = fmt::format("{}", fmt::join(statements, ";\n"));
  batch.results.reserve(statements.size());

  // Each statement answers with rows, with nothing, or with an error that ends the batch. A result that
  // was announced must be read before the next one, even one without rows.
  MYSQL* const mysql = handle_->mysql;
  const auto waits = [this] { handle_->waits_since = std::chrono::steady_clock::now(); };
  waits();
  int more = mysql_real_query(mysql, packet.data(), packet.size());
  while (more == 0) {
    waits();
    const std::unique_ptr<MYSQL_RES, ResultDeleter> result(mysql_store_result(mysql));
    if (!result && mysql_field_count(mysql) != 0) break;
    batch.results.push_back(result ? to_table(result.get()) : Table{});
    waits();
    more = mysql_next_result(mysql);
    if (more == -1 && mysql_errno(mysql) == 0) return batch;  // no more results
  }
  batch.failed = handle_->statement_error();
  return batch;
}

std::string Connection::server_version() const {
  const std::string version = mysql_get_server_info(handle_->mysql);
  // MariaDB 10 puts it in front for old replicas' sake.
  constexpr std::string_view prefix = "5.5.5-";
  return version.rfind(prefix, 0) == 0 ? version.substr(prefix.size()) : version;
}

std::uint64_t Connection::id() const { return mysql_thread_id(handle_->mysql); }

bool Connection::encrypted() const { return mysql_get_ssl_cipher(handle_->mysql) != nullptr; }

bool Connection::alive() const { return handle_->alive; }

}  // namespace stemma::mysql
