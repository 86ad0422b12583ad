// The real fleet: observes and changes servers over libmysqlclient.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/provider.h"
#include "plans/fact.h"
#include "providers/mysql/connection.h"

namespace stemma::mysql {

class MysqlProvider final : public Provider {
 public:
  // `topology` and `secrets` must outlive the provider. Connects on first use; the steps of one server share one
  // connection. A fence waits for locks a little shorter than timeouts.read.
  MysqlProvider(const Topology& topology, const Secrets& secrets, Timeouts timeouts);
  MysqlProvider(const MysqlProvider&) = delete;
  MysqlProvider& operator=(const MysqlProvider&) = delete;
  ~MysqlProvider() override;

  Result<ServerState> observe(const ServerName&) override;
  Result<void> answer(const ServerName&, const Questions&, ServerState&) override;
  Result<void> refresh(const ServerName&, const Reading&, ServerState&) override;
  Result<void> perform(const Step&, const Outputs&, ServerState&) override;
  Result<std::optional<LockHolder>> lock(const ServerName&) override;
  void unlock_all() override;

 private:
  struct Lane;
  Lane& lane(const ServerName&);
  Result<Connection> open(const Server&) const;
  Result<void> connect(Lane&);
  Result<void> connect_again(Lane&);
  Result<Connection::Batch> ask(Lane&, const std::vector<std::string>&);
  Result<void> read_back(Lane&, const Reading&, ServerState&, const std::vector<std::string>& first);
  Result<void> read_table_names(Lane&, ServerState&);
  Result<void> check_lock(const Lane&, const Table&) const;

  const Topology& topology_;
  const Secrets& secrets_;
  const Timeouts timeouts_;
  std::map<ServerName, std::unique_ptr<Lane>> lanes_;  // made in the constructor: read without a lock
};

}  // namespace stemma::mysql
