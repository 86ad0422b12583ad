#include "tests/plans/support_words.h"

#include <fmt/format.h>

#include <algorithm>

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::pair<std::string, std::string> key_value(const std::string& word) {
  const auto equals = word.find('=');
  return equals == word.npos ? std::pair{word, std::string()}
                             : std::pair{word.substr(0, equals), word.substr(equals + 1)};
}

namespace {

std::string as_toml(const std::string& key, const std::string& value) {
  const bool text_always = key.starts_with("variables.") || key == "at";
  const bool bare = !text_always && (value == "true" || value == "false" || value.starts_with('[') ||
                                     value.find_first_not_of("0123456789") == value.npos);
  return fmt::format("{} = {}\n", key == "id" ? "server_id" : key, bare ? value : "\"" + value + "\"");
}

}  // namespace

std::string server_table(const std::vector<std::string>& declared, const std::string& address) {
  std::string table = fmt::format("[server.{}]\naddress = \"{}\"\n", declared[0],
                                  address.empty() ? declared[0] + ":3306" : address);
  std::string further;
  for (std::size_t i = 1; i < declared.size(); ++i) {
    const auto [key, value] = key_value(declared[i]);
    const auto of_channel = declared[i].find('<'), dot = key.find('.');
    if (declared[i] == "<")
      table += fmt::format("source = \"{}\"\n", declared.at(++i));
    else if (of_channel != std::string::npos)
      further += fmt::format("channel.{}.source = \"{}\"\n", declared[i].substr(0, of_channel),
                             declared[i].substr(of_channel + 1));
    else if (dot != std::string::npos && !key.starts_with("variables."))
      further += "channel." + as_toml(key, value);
    else
      table += as_toml(key, value);
  }
  return table + further;
}
