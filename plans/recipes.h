// One recipe for each kind of gap between file and fleet. A recipe says which steps close it and what each of
// them needs; none of them writes down an order. Internal to plans.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plans/attach.h"
#include "plans/draft.h"
#include "plans/plan.h"

namespace stemma {

class Recipes {
 public:
  Recipes(const Scene& scene, Draft& draft, Plan& plan) : scene_(scene), draft_(draft), plan_(plan) {}
  void run();

 private:
  // What happens to one channel.
  struct ChannelWork {
    std::optional<Attach> attach;  // it is configured anew
    bool restart = false;          // only its threads are started
    std::string reconnect;         // why its receiver is stopped before that; "" where it is not
    bool pause = false;            // it is stopped and started for another channel's sake
    int rounds = 0;                // Flowing{…, rounds} is the end; 0: nothing happens to it
    bool left_out = false;         // a server is silent, it was refused, or its steps would fail
    bool refused = false;
  };

  void note_unused_provision(const Server&);
  [[nodiscard]] bool is_missing(const Fact&) const;
  [[nodiscard]] std::string first_message(const Fact&) const;
  [[nodiscard]] const ServerState* state(const ServerName& name) const { return scene_.observed.find(name); }

  // recipes_variables.cc
  void variables(const Server&);
  void order_variables();

  // recipes_channel.cc
  void decide_from_above(const Server&);
  void decide(const DeclaredLink&);
  [[nodiscard]] bool leave_out(const DeclaredLink&);
  void channel(const DeclaredLink&);
  void stop(const DeclaredLink&, int round, std::vector<Fact> needs, bool drain);
  void configure(const DeclaredLink&, const Attach&, const Origin&, bool by_gtid, std::vector<Fact> needs);
  [[nodiscard]] bool begins_by_gtid(const DeclaredLink&, const Attach&) const;
  [[nodiscard]] bool adopts(const DeclaredLink&) const;
  void adopt(const DeclaredLink&, const Attach&, const Origin&, const std::vector<Fact>& needs);
  void pause_siblings(const Server&);
  void order_siblings();
  void start(const DeclaredLink&, int round, std::vector<Fact> needs);
  [[nodiscard]] Fact noted(const DeclaredLink&) const;
  [[nodiscard]] DeclaredLink declared(const Link&) const;
  void order_fresh_chains();
  void order_adopted_chains();
  void hold_back_for_word();

  // recipes_semi_sync.cc
  [[nodiscard]] std::optional<SemiSync> semi_sync_to_reach(const DeclaredLink&) const;
  [[nodiscard]] bool semi_sync_changes(const DeclaredLink&) const;
  void order_semi_sync();

  // recipes_account.cc
  void account(const Server&);
  [[nodiscard]] std::vector<Fact> before_account(const Server&);
  void catch_up(const DeclaredLink&, std::string why);
  [[nodiscard]] bool account_can_change(const Server&) const;
  [[nodiscard]] std::vector<Fact> account_ready(const ServerName&) const;
  [[nodiscard]] std::vector<Fact> account_needed_by(const DeclaredLink&) const;
  [[nodiscard]] std::optional<Fact> missing_account(const DeclaredLink&) const;
  [[nodiscard]] bool waits_for_catch_up(const DeclaredLink&) const;
  [[nodiscard]] bool may_lose_account(const Server&) const;
  [[nodiscard]] bool has_caught_up(const DeclaredLink&) const;
  [[nodiscard]] bool is_held_back(const DeclaredLink&) const;
  [[nodiscard]] bool is_delayed(const DeclaredLink&) const;
  [[nodiscard]] bool waits_for_the_account(const DeclaredLink&) const;

  // recipes_fence.cc
  void fence(const Server&);
  void unfence(const Server&);

  const Scene& scene_;
  Draft& draft_;
  Plan& plan_;
  std::map<Link, ChannelWork> work_;
};

}  // namespace stemma
