#include "cmd/cli/output.hpp"

#include "base/posix.hpp"

#include "unit/catch2.hpp"
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace {

struct Pipe {
    Pipe() { REQUIRE(sse::make_pipe(ends, false)); }
    ~Pipe() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    /// All that is in it now.
    std::string read() const {
        std::string out(1024 * 1024, '\0');
        REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
        std::size_t size = 0;
        for (ssize_t got = 0; (got = ::read(ends[0], out.data() + size, out.size() - size)) > 0;)
            size += static_cast<std::size_t>(got);
        out.resize(size);
        return out;
    }
    int ends[2] = {-1, -1};
};

} // namespace

TEST_CASE("an output that stops ends with a unit, and counts what is written") {
    for (const std::size_t size : {1U, 10U, 1000U, 4000U, 4096U}) {
        const Pipe pipe;
        cmd::Output output(pipe.ends[1], {[](int) { return false; }, [] {}, {}});
        const auto unit = std::string(size - 1, 'x') + "\n";
        std::size_t added = 0;
        do output.text() += unit;
        while (++added < 1'000'000 && output.added());
        INFO(size << ": " << added);
        const auto text = pipe.read();
        CHECK((text.size() > 50'000 && text.size() % size == 0));
        CHECK((output.written() == text.size() && output.appended() == added * size));
        CHECK_FALSE(output.flush());
        output.text() += unit; // discarded, and never counted as written
        CHECK_FALSE(output.added());
        CHECK_FALSE(output.flush());
        CHECK((pipe.read().empty() && output.written() == text.size()));
        CHECK(output.appended() == (added + 1) * size);
    }
}

TEST_CASE("a unit that is written in part is completed if the reader reads on") {
    const Pipe pipe;
    std::string read;
    const auto wait = [&](int) {
        read = pipe.read(); // and room for the rest
        return false;
    };
    cmd::Output output(pipe.ends[1], {.wait = wait, .grace = std::chrono::milliseconds(0)});
    output.text() = std::string(70'000, 'x');
    output.added();
    output.text() += std::string(1'000, 'y');
    output.added();
    CHECK_FALSE(output.flush());
    CHECK(output.written() == read.size());

    const Pipe other;
    const auto wait_long = [&](int) {
        read = other.read();
        return false;
    };
    cmd::Output patient(other.ends[1], {.wait = wait_long, .grace = std::chrono::minutes(1)});
    patient.text() = std::string(70'000, 'x');
    patient.added();
    patient.text() += std::string(1'000, 'y');
    patient.added();
    CHECK_FALSE(patient.flush());
    CHECK(read + other.read() == std::string(70'000, 'x'));
    CHECK((patient.written() == 70'000 && patient.appended() == 71'000));
}

TEST_CASE("an output whose reader has closed its end says so once") {
    Pipe pipe;
    int calls = 0;
    ::signal(SIGPIPE, SIG_IGN);
    cmd::Output output(pipe.ends[1], {{}, [&] { ++calls; }, {}});
    ::close(pipe.ends[0]);
    pipe.ends[0] = -1;
    output.text() = "x\n";
    CHECK(output.added());
    CHECK_FALSE(output.flush());
    output.text() = "y\n";
    CHECK_FALSE(output.flush());
    CHECK((calls == 1 && output.written() == 0 && output.appended() == 4));
    CHECK_FALSE(output.wait_until(std::chrono::steady_clock::now() + std::chrono::hours(1)));
}
