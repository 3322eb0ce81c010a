// Which probes of a check are made when, without a server.
#include "check/probe_plan.hpp"

#include "catch2.hpp"

#include <algorithm>

using sse::checks::Ending;
using sse::checks::Observations;
using sse::checks::Probe;
using sse::checks::ProbePlan;
using sse::checks::ProbePlanOptions;
using Probes = std::vector<Probe>;

namespace {

/// `main` has a stream since 0.1 s.
void open_main(Observations& seen) {
    auto& main = seen.of(Probe::main);
    main.head = 0.1;
    main.status = 200;
    main.fields = {{"Content-Type", "text/event-stream"}};
}

void end_probes(Observations& seen, const Probes& probes) {
    for (const auto probe : probes) seen.of(probe).ending = Ending::complete;
}

} // namespace

TEST_CASE("a check makes its main request first, and no other without a head") {
    Observations seen;
    ProbePlan plan({}, seen);
    CHECK_FALSE(plan.is_over(0));
    CHECK(plan.next(0).start == Probes{Probe::main});
    CHECK(plan.next(0.1).start.empty());
    CHECK(plan.open_count() == 1);
    SECTION("one second without a head: the others may have one") {
        CHECK(plan.next(1.5).start == Probes{Probe::compressed, Probe::head});
    }
    SECTION("a response that is no stream is asked for once") {
        seen.of(Probe::main).head = 0.1;
        seen.of(Probe::main).status = 404;
        CHECK(plan.next(1.5).start.empty());
        CHECK_FALSE(plan.is_over(1.5));
        CHECK(plan.is_over(1.7));
    }
    SECTION("a request that failed") {
        seen.of(Probe::main).ending = Ending::failed;
        CHECK(plan.is_over(0.2));
    }
}

TEST_CASE("a check keeps to its number of connections") {
    Observations seen;
    ProbePlan plan({}, seen);
    plan.next(0);
    open_main(seen);
    CHECK(plan.next(0.5).start == Probes{Probe::second, Probe::compressed});
    CHECK(plan.open_count() == 3);
    end_probes(seen, {Probe::second});
    CHECK(plan.next(0.6).start == Probes{Probe::any_type});
    const auto full = plan.next(0.7);
    CHECK(full.start.empty());
    CHECK(full.stop == Probe::any_type); // nothing has arrived that it could lack
    end_probes(seen, {Probe::any_type});
    CHECK(plan.next(0.8).start == Probes{Probe::head});
}

TEST_CASE("an earlier ID is resumed from once there are enough") {
    Observations seen;
    ProbePlan plan({std::chrono::seconds(10), 9, false, false}, seen);
    plan.next(0);
    open_main(seen);
    plan.next(0.5);
    for (const auto* id : {"1", "2", "2", "3"})
        seen.of(Probe::main).events.push_back({0.5, id, 0, {}});
    CHECK_FALSE(plan.next(1).resumed_after);
    SECTION("the second of five") {
        for (const auto* id : {"4", "5"}) seen.of(Probe::main).events.push_back({0.6, id, 0, {}});
        const auto steps = plan.next(1);
        CHECK(steps.resumed_after == 1);
        CHECK(steps.start == Probes{Probe::resumed});
    }
    SECTION("late, the first of two") { CHECK(plan.next(6).resumed_after == 0); }
}

TEST_CASE("events are asked for one after another") {
    Observations seen;
    ProbePlan plan({std::chrono::seconds(10), 3, false, true}, seen);
    plan.next(0);
    open_main(seen);
    CHECK_FALSE(plan.next(1).trigger);
    CHECK(plan.next(1.2).trigger);
    seen.triggered.push_back({1.2, std::nullopt, ""});
    CHECK_FALSE(plan.next(4).trigger); // it may still arrive
    seen.triggered.back().arrived = 4;
    CHECK(plan.next(4.1).trigger);
}

TEST_CASE("a check ends with its time, unless a triggered event is still expected") {
    Observations seen;
    ProbePlan plan({std::chrono::seconds(2), 3, false, true}, seen);
    plan.next(0);
    open_main(seen);
    seen.triggered.push_back({1.2, std::nullopt, ""});
    CHECK_FALSE(plan.is_over(3));
    CHECK(plan.is_over(6.3));
    seen.triggered.back().arrived = 1.5;
    CHECK(plan.is_over(3));
}
