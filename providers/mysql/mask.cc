#include "providers/mysql/mask.h"

#include <algorithm>
#include <string>

#include "providers/mysql/connection.h"

namespace stemma::mysql {

Error without_secret(Error error, const Secrets& secrets) {
  if (!secrets.replication || secrets.replication->reveal().empty()) return error;
  // It may cut the text short in the middle of the password, too: any beginning of it counts.
  constexpr std::size_t shortest = 4;
  for (const std::string& text : {escape(secrets.replication->reveal()), secrets.replication->reveal()})
    for (std::size_t length = text.size(); length >= std::min(shortest, text.size()); --length)
      for (auto at = error.message.find(text.substr(0, length)); at != std::string::npos;
           at = error.message.find(text.substr(0, length), at + 1))
        error.message.replace(at, length, "<secret>");
  return error;
}

}  // namespace stemma::mysql
