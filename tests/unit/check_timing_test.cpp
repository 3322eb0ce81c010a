#include "unit/catch2.hpp"
#include "unit/check_rig.hpp"

#include <cmath>

using namespace check_rig;

namespace {

Observations with(Exchange main) {
    Observations seen;
    seen.duration = main.ended;
    seen.of(Probe::main) = std::move(main);
    return seen;
}

} // namespace

TEST_CASE("a good stream has no finding") {
    CHECK(findings(good()).empty());
    Observations nothing; // no check reads what is not there
    for (const auto& result : sse::checks::judge(nothing)) CHECK(result.check != nullptr);
    for (const auto* check : sse::checks::catalogue()) {
        INFO(check->id);
        CHECK(sse::checks::find_check(check->id) == check);
        CHECK_FALSE(check->title.empty());
        CHECK(check->looks_at.ends_with('.'));
        CHECK(check->why.ends_with('.'));
        CHECK_FALSE((check->fix.empty() && check->cure == sse::checks::Cure::none));
    }
}

TEST_CASE("no head, or a late one") {
    Exchange none;
    none.ending = Ending::silent;
    none.ended = 12;
    CHECK(verdict(with(none), "no-head") == "error");
    none.ending = Ending::refused;
    CHECK(verdict(with(none), "no-head") == "error");
    CHECK(verdict(good(), "no-head") == "ok");

    struct Row {
        double latency, body_after;
        bool get;
        const char* verdict;
    };
    for (const auto& row :
         {Row{0.9, 0.01, true, "ok"}, Row{1.1, 0.01, true, "warn"}, Row{2.9, 0.01, true, "warn"},
          Row{3.1, 0.01, true, "error"}, Row{3.1, 0.01, false, "warn"},
          Row{3.1, 0.04, true, "error"}, Row{3.1, 0.06, true, "ok"}}) {
        auto main = stream(0, row.latency);
        add_bytes(main, *main.head + row.body_after, 60);
        auto seen = with(main);
        seen.repeatable = row.get;
        INFO(row.latency << " " << row.body_after);
        CHECK(verdict(seen, "late-head") == row.verdict);
    }
}

TEST_CASE("a head whose Date is older than those of quick responses was held back") {
    auto seen = good();
    const auto date = [](Exchange& exchange, const char* text) {
        exchange.fields.push_back({"Date", text});
    };
    // 1,800,000,000 s after 1970
    seen.of(Probe::main) = stream(0, 5);
    date(seen.of(Probe::main), "Fri, 15 Jan 2027 08:00:00 GMT");
    CHECK(verdict(seen, "head-held") == "?");
    date(seen.of(Probe::head), "Fri, 15 Jan 2027 08:00:00 GMT");
    CHECK(verdict(seen, "head-held") == "error");
    // The head of the HEAD request is 0.4s old.
    for (const double latency : {2.3, 2.5}) {
        seen.of(Probe::main) = stream(0, latency);
        date(seen.of(Probe::main), "Fri, 15 Jan 2027 08:00:00 GMT");
        CHECK(verdict(seen, "head-held") == (latency < 2.4 ? "ok" : "error"));
    }
}

TEST_CASE("chunks of the size of a buffer show that events are held back") {
    struct Row {
        std::vector<std::size_t> chunks;
        double every;
        unsigned events; ///< in each
        const char* verdict;
    };
    for (const auto& row : {
             Row{{4096, 4096, 4096, 500}, 1, 20, "error"},
             Row{{3800, 4096, 8192, 4096}, 1, 20, "error"},
             Row{{4096, 4096, 4096}, 0.01, 20, "ok"}, // all at once: nothing is late
             Row{{4096, 4096, 4096}, 0.45, 20, "ok"}, Row{{4096, 4096, 4096}, 0.55, 20, "error"},
             Row{{4096, 4096, 4096, 4096}, 1, 2, "ok"}, // large events
             Row{{4096, 4096, 4096, 4096}, 1, 3, "error"},
             Row{{4096, 4096, 4096, 4096, 500, 700}, 1, 20, "ok"}, // 67%
             Row{{4096, 4096, 4096, 4096, 4096, 500, 700}, 1, 20, "error"},
             Row{{4000, 4100, 3990, 4096, 4200}, 1, 20, "ok"},
             Row{{4096, 4096}, 2, 20, "ok"}, // too few
         }) {
        auto main = stream();
        std::uint64_t number = 0;
        double at = 0.5;
        for (const auto size : row.chunks) {
            add_bytes(main, at, size, true);
            for (unsigned i = 0; i < row.events; ++i) {
                sse::checks::SeenEvent event;
                event.at = at;
                event.hash = ++number;
                main.events.push_back(event);
            }
            at += row.every;
        }
        main.pieces.back().inside_event = false;
        for (auto& piece : main.pieces) piece.inside_event = false;
        INFO(row.chunks.size() << " chunks, " << row.events);
        CHECK(verdict(with(main), "held-back") == row.verdict);
    }
}

TEST_CASE("a burst that ends within an event, and then silence, shows a buffer") {
    struct Row {
        std::size_t bytes;
        unsigned bursts;
        double latency;
        bool inside;
        const char* verdict;
    };
    for (const auto& row : {
             Row{1500, 1, 0.01, true, "?"},     // a slow event, perhaps
             Row{1500, 2, 0.01, true, "error"}, // twice
             Row{3583, 1, 0.01, true, "?"},
             Row{3584, 1, 0.01, true, "error"}, // near 4 KiB
             Row{4112, 1, 0.01, true, "error"},
             Row{4113, 1, 0.01, true, "?"},
             Row{8192, 1, 0.01, true, "error"},
             Row{1500, 1, 0.9, true, "?"},
             Row{1500, 1, 1.1, true, "error"}, // with a late head
             Row{1500, 2, 0.01, false, "ok"},
             Row{1023, 3, 0.01, true, "ok"},
             Row{1024, 3, 0.01, true, "error"},
         }) {
        auto main = stream(0, row.latency);
        for (unsigned i = 0; i < row.bursts; ++i) {
            add_bytes(main, *main.head + 2.0 * i, row.bytes - 60,
                      row.inside); // and 60 of the event
            add_event(main, *main.head + 2.0 * i, "", i);
            main.pieces.back().inside_event = row.inside;
        }
        INFO(row.bytes << " bytes " << row.bursts << " times");
        CHECK(verdict(with(main), "held-back") == row.verdict);
    }
}

TEST_CASE("what follows such a burst at once does not show a buffer") {
    for (const double pause : {0.9, 1.1}) {
        auto main = stream();
        for (unsigned i = 0; i < 3; ++i) {
            add_bytes(main, 1 + pause * i, 1500, true);
            add_event(main, 1 + pause * i, "", i);
            main.pieces.back().inside_event = i < 2;
        }
        CHECK(verdict(with(main), "held-back") == (pause < 1 ? "ok" : "error"));
    }
}

TEST_CASE("keepalive comments that arrive together were held back") {
    auto main = stream();
    add_event(main, 0.1, "", 1);
    main.comments = {6, 6};
    add_bytes(main, 6, 16);
    CHECK(verdict(with(main), "held-back") == "error");
    auto busy = with(main); // a server on this machine may just have been slow
    busy.late = 0.1;
    CHECK(verdict(busy, "held-back") == "warn");
    for (const double pause : {1.9, 2.1}) {
        main.comments = {0.1 + pause, 0.1 + pause};
        main.pieces.back().at = 0.1 + pause;
        CHECK(verdict(with(main), "held-back") == (pause < 2 ? "ok" : "error"));
    }
    main.comments = {3, 6};
    main.pieces.back().at = 3;
    add_bytes(main, 6, 8);
    CHECK(verdict(with(main), "held-back") == "ok");
}

TEST_CASE("events in bursts are a warning, since a source may make them so") {
    auto main = stream();
    std::uint64_t number = 0;
    for (const double at : {0.1, 2.0, 4.0}) {
        for (int i = 0; i < 3; ++i) add_event(main, at, "", ++number);
    }
    CHECK(verdict(with(main), "bursts") == "warn");
    CHECK(verdict(with(main), "held-back") == "ok");
    struct Row {
        int events;
        double pause;
        const char* verdict;
    };
    for (const auto& row :
         {Row{2, 1.9, "ok"}, Row{3, 0.9, "ok"}, Row{3, 1.1, "warn"}, Row{4, 1.1, "warn"}}) {
        auto other = stream();
        for (int burst = 0; burst < 3; ++burst) {
            for (int i = 0; i < row.events; ++i)
                add_event(other, 0.1 + row.pause * burst, "", ++number);
        }
        INFO(row.events << " events after " << row.pause);
        CHECK(verdict(with(other), "bursts") == row.verdict);
    }
    auto once = stream(); // a history at the start, and then one batch
    for (const double at : {0.1, 2.0}) {
        for (int i = 0; i < 3; ++i) add_event(once, at, "", ++number);
    }
    CHECK(verdict(with(once), "bursts") == "ok");
}

TEST_CASE("a response that comes as a whole at its end was collected") {
    auto main = stream(0, 2);
    add_events(main, 5, 2.1, 0.001);
    main.ended = 2.2;
    main.ending = Ending::complete;
    CHECK(verdict(with(main), "collected") == "error");
    struct Row {
        unsigned events;
        double first, every, end;
        const char* verdict;
    };
    for (const auto& row : {Row{5, 0.99, 0.001, 1.2, "ok"}, Row{5, 1.01, 0.001, 1.2, "error"},
                            Row{3, 1.5, 0.001, 1.6, "error"}, Row{2, 1.5, 0.001, 1.6, "-"},
                            Row{3, 1.5, 0.04, 1.7, "error"}, Row{3, 1.5, 0.06, 1.7, "ok"},
                            Row{3, 1.5, 0.001, 1.9, "error"}, Row{3, 1.5, 0.001, 2.1, "ok"}}) {
        auto other = stream();
        add_events(other, row.events, row.first, row.every);
        other.ended = row.end;
        other.ending = Ending::closed;
        INFO(row.events << " events at " << row.first);
        CHECK(verdict(with(other), "collected") == row.verdict);
    }
    auto quick = stream();
    add_events(quick, 5, 0.1, 0.001); // a short answer, at once
    quick.ended = 0.2;
    quick.ending = Ending::complete;
    CHECK(verdict(with(quick), "collected") == "ok");
    main.ending = Ending::stopped;
    CHECK(verdict(with(main), "collected") == "-");
}

TEST_CASE("times in events show what waited for what") {
    auto main = stream();
    const auto add = [&](double at, double stamp) {
        add_event(main, at, "", static_cast<std::uint64_t>((stamp + 100) * 10));
        main.events.back().stamp = 1'800'000'000 + stamp;
    };
    const auto history = [&] {
        main = stream();
        for (const double stamp : {-60.0, -30.0, -1.0}) add(0.1, stamp);
    };
    const auto judged = [&] { return verdict(with(main), "held-back-times"); };
    history();
    CHECK(judged() == "?"); // nothing but history
    for (const double stamp : {1.0, 2.0, 3.0}) add(3.1, stamp);
    CHECK(judged() == "warn"); // 2.1s, 1.1s, 0.1s
    history();
    for (const double stamp : {1.0, 2.0, 3.0}) add(stamp + 0.01, stamp);
    CHECK(judged() == "ok");
    for (const double delay : {1.4, 1.6}) {
        history();
        for (const double stamp : {1.0, 2.0}) add(stamp, stamp);
        add(3 + delay, 3);
        CHECK(judged() == (delay < 1.5 ? "ok" : "warn"));
    }
    history();
    for (const double at : {1.0, 2.0, 3.0, 4.0}) add(at, 0.5); // the time of the whole response
    CHECK(judged() == "?");
    history();
    for (const double at : {1.95, 2.95, 3.95, 4.95}) add(at, std::floor(at)); // whole seconds
    add(6, 6);
    CHECK(judged() == "ok");
}

TEST_CASE("an event that was sent on request shows the delay of the way") {
    auto seen = good();
    CHECK(verdict(seen, "trigger-late") == "-");
    for (const auto& [arrived, expected] : {std::pair{1.14, "ok"}, std::pair{1.16, "note"},
                                            std::pair{1.99, "note"}, std::pair{2.01, "error"}}) {
        seen.triggered = {{1, arrived, ""}};
        CHECK(verdict(seen, "trigger-late") == expected);
    }
    seen.triggered = {{1, 1.01, ""}, {3, 4.5, ""}};
    CHECK(verdict(seen, "trigger-late") == "error");
    seen.triggered = {{1, std::nullopt, ""}};
    CHECK(verdict(seen, "trigger-late") == "error");
    seen.triggered = {{1, std::nullopt, "it exited with status 1"}};
    CHECK(verdict(seen, "trigger-late") == "?");
}

TEST_CASE("the same events earlier from the origin show who delays them") {
    auto seen = good();
    CHECK(verdict(seen, "held-back-direct") == "-");
    auto& direct = seen.of(Probe::direct);
    direct = stream();
    add_events(direct, 20, 0.09, 0.5);
    CHECK(verdict(seen, "held-back-direct") == "ok");
    auto other = seen; // a stream whose last events are missing, and one with repeated contents
    auto& events = other.of(Probe::main).events;
    for (const std::size_t left : {16U, 14U}) {
        events.resize(left);
        CHECK(verdict(other, "held-back-direct") == (left == 16 ? "ok" : "error"));
    }
    for (const double by : {0.28, 0.04}) { // 0.29s and 0.33s later
        for (auto& event : direct.events) event.at -= by;
        CHECK(verdict(seen, "held-back-direct") == (by > 0.1 ? "ok" : "error"));
    }
    seen.of(Probe::main).events.clear();
    CHECK(verdict(seen, "held-back-direct") == "error");
}

TEST_CASE("silence is a warning, and leaves the rest open") {
    const auto seen = with(stream());
    CHECK(verdict(seen, "silent") == "warn");
    CHECK(verdict(seen, "held-back") == "?");
    CHECK(verdict(good(), "silent") == "ok");
}
