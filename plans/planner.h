// Desired against observed: the plan. A pure function: the same input gives the same bytes.
#pragma once

#include "plans/plan.h"

namespace stemma {

// Trouble::bug when the steps can't be put in an order; everything a user can cause is a refusal in the plan.
// Steps that would touch a silent server, or need one, are left out, and so is every unfence in its tree.
Result<Plan> make_plan(const Scene&);

}  // namespace stemma
