#include "providers/simulated/binlog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stemma::simulated {
namespace {

// Sizes like those of real logs; nothing depends on them.
constexpr std::uint64_t kMagic = 4, kMariadbHeader = 328, kMysqlHeader = 157, kTransaction = 200;

unsigned number_of(const std::string& file) {
  return static_cast<unsigned>(std::stoul(file.substr(file.rfind('.') + 1)));
}

}  // namespace

GtidSet set_of(const Transaction& transaction) {
  if (transaction.uuid.empty()) return {};
  return *GtidSet::parse(fmt::format("{}:{}", transaction.uuid, transaction.gtid.sequence));
}

void Binlog::Last::add(const Gtid& gtid) {
  of_domain[gtid.domain] = gtid;
  of_server[{gtid.domain, gtid.server}] = gtid.sequence;
}

GtidPosition Binlog::Last::position() const {
  std::vector<std::string> texts;
  for (const auto& [domain, gtid] : of_domain) texts.push_back(to_text(gtid));
  return *GtidPosition::parse(fmt::format("{}", fmt::join(texts, ",")));
}

std::string Binlog::name_of(unsigned number) const {
  return fmt::format("{}.{:06}", flavor_ == Flavor::mariadb ? "mysql-bin" : "binlog", number);
}

void Binlog::append(const Transaction& transaction) {
  File& file = files_.back();
  file.logged.push_back({transaction, file.end() + kTransaction});
  last_.add(transaction.gtid);
}

void Binlog::rotate() {
  const std::uint64_t begin = flavor_ == Flavor::mariadb ? kMariadbHeader : kMysqlHeader;
  files_.push_back({files_.empty() ? 1 : files_.back().number + 1, begin, {}});
}

void Binlog::purge() {
  while (files_.size() > 1) {
    for (const Logged& logged : files_.front().logged) {
      before_oldest_.add(logged.transaction.gtid);
      purged_ = purged_.unite(set_of(logged.transaction));
    }
    files_.erase(files_.begin());
  }
}

void Binlog::reset() {
  files_.clear();
  last_ = before_oldest_ = {};
  purged_ = {};
  rotate();
}

Coordinates Binlog::end() const { return {name_of(files_.back().number), files_.back().end()}; }

std::vector<std::string> Binlog::files() const {
  std::vector<std::string> names;
  for (const File& file : files_) names.push_back(name_of(file.number));
  return names;
}

bool Binlog::has(const Coordinates& at) const {
  return std::any_of(files_.begin(), files_.end(), [&](const File& file) {
    return name_of(file.number) == at.file && at.position <= file.end();
  });
}

std::optional<Binlog::Event> Binlog::next(const Coordinates& from) const {
  const unsigned first = number_of(from.file);
  for (const File& file : files_) {
    if (file.number < first) continue;
    for (const Logged& logged : file.logged)
      if (file.number > first || logged.end > from.position)
        return Event{&logged.transaction, {name_of(file.number), logged.end}};
  }
  return std::nullopt;
}

GtidPosition Binlog::position() const { return last_.position(); }

GtidState Binlog::state() const {
  std::vector<std::string> texts;
  for (const auto& [key, sequence] : last_.of_server)
    texts.push_back(to_text(Gtid{key.first, key.second, sequence}));
  return *GtidState::parse(fmt::format("{}", fmt::join(texts, ",")));
}

std::optional<GtidPosition> Binlog::position_at(const Coordinates& at) const {
  Last last = before_oldest_;
  for (const File& file : files_) {
    const bool here = name_of(file.number) == at.file;
    if (here && (at.position == kMagic || at.position == file.begin)) return last.position();
    for (const Logged& logged : file.logged) {
      last.add(logged.transaction.gtid);
      if (here && logged.end == at.position) return last.position();
    }
    if (here) return std::nullopt;
  }
  return std::nullopt;
}

GtidPosition Binlog::horizon() const { return before_oldest_.position(); }

bool Binlog::operator==(const Binlog& other) const {
  return end() == other.end() && files() == other.files() && position() == other.position() &&
         purged_ == other.purged_;
}

}  // namespace stemma::simulated
