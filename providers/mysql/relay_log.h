// Relay logs that a crash has left so that their server can't open them. Nothing tells of them beforehand: the status is that
// of a channel that was stopped, and only START or CHANGE fails.
#pragma once

#include <string>
#include <vector>

#include "plans/observed.h"
#include "plans/plan.h"

namespace stemma::mysql {

// 1201 (MariaDB: "Could not initialize master info structure"; kill -9 in the middle of START SLAVE, which begins new
// relay logs, was seen to cause it), 1871 and 1872 (MySQL: connection and applier metadata).
bool is_broken_relay_log(int error_number);

// The statements after which the step can be tried again, or none where a person has to decide. Only for a MariaDB channel by
// GTID, whose START throws the relay log away of its own accord and asks the source anew for what was not executed.
// RESET SLAVE without ALL keeps the channel's options, but before MariaDB 10.10 not that it goes by GTID: it would begin at the
// source's oldest binlog, and is told so before anything starts. It wants the privilege RELOAD, which an account need not
// have for anything else: without it, too, a person has to decide.
std::vector<std::string> discard_relay_log(const Step&, const ServerState&);

// What that person can do.
std::string relay_log_hint(const Step&, const ServerState&);

}  // namespace stemma::mysql
