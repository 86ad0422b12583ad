// The language of stories, for these tests too: each folder of tests builds its own helpers.
#include "tests/plans/support_fleet.cc"
#include "tests/plans/support_rules.cc"
#include "tests/plans/support_words.cc"
