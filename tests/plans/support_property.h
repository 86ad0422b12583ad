// Laws, tried on made-up values by RapidCheck, which looks for the smallest value that breaks one.
#pragma once

#include <rapidcheck.h>

#include <cstdlib>
#include <sstream>
#include <utility>

#include "tests/catch.h"

namespace stemma::test {

// The law is a function of arbitrary values that uses RC_ASSERT. The same values each time, unless RC_PARAMS says
// otherwise, as in RC_PARAMS="max_success=10000" (then the seed is another each time, and a failure tells it).
template <class Law>
void holds(Law&& law) {
  // RapidCheck reads it once, at its first use; its own header for Catch knows only Catch2 2.
  setenv("RC_PARAMS", "seed=1", 0);
  const auto result = rc::detail::checkTestable(std::forward<Law>(law));
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  INFO(text.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

}  // namespace stemma::test
