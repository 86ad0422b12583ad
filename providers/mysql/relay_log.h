// Relay logs that a crash has left so that their server can't open them. Nothing tells of them beforehand: the status is that
// of a channel that was stopped, and only START or CHANGE fails.
#pragma once

#include <string>
#include <vector>

#include "plans/observed.h"
#include "plans/plan.h"
#include "providers/mysql/sql.h"

namespace stemma::mysql {

// 1201 (MariaDB: "Could not initialize master info structure"; kill -9 in the middle of START SLAVE, which begins new
// relay logs, was seen to cause it), 1871 and 1872 (MySQL: connection and applier metadata).
bool is_broken_relay_log(int error_number);

// What to send instead of a START that failed so, or nothing where a person has to decide. Only for a MariaDB channel by
// GTID, whose START throws the relay log away of its own accord and asks the source anew for what was not executed.
// RESET SLAVE without ALL keeps host and account, but forgets the delay, the heartbeat, the verification of certificates and,
// before MariaDB 10.10, that the channel goes by GTID (sql_repl.cc, rpl_mi.cc): everything is said again before it starts. RESET
// SLAVE wants the privilege RELOAD, which an account need not have for anything else: without it, too, a person has to decide.
std::vector<std::string> start_with_new_relay_log(const Step&, const StepContext&);

// What that person can do.
std::string relay_log_hint(const Step&, const ServerState&);

}  // namespace stemma::mysql
