#include "net/confine.hpp"

#include "unit/catch2.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

bool opens(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

enum Outcome { works = 0, unavailable = 1, reads_fail, reads, writes, runs, exception_fails };

/// In a process of its own, as it cannot be undone.
Outcome confined(const std::string& allowed, const std::string& other, bool restricts_reading) {
    sse::Confinement confinement{{allowed}, {}};
    if (restricts_reading) confinement.readable = {{allowed + "/kept/tokens"}};
    if (!sse::confine_thread(confinement)) return unavailable;
    const bool can_read = opens("/dev/null", O_RDONLY) || opens(other + "/file", O_RDONLY);
    if (restricts_reading) {
        if (can_read) return reads;
        if (!opens("/proc/self/statm", O_RDONLY)) return reads_fail;
        if (!opens(allowed + "/kept", O_WRONLY | O_CREAT)) return exception_fails;
        if (!opens(allowed + "/kept", O_RDONLY)) return reads_fail; // beside one that may be read
        ::unlink((allowed + "/kept").c_str());
    } else if (!can_read) {
        return reads_fail;
    }
    if (opens(other + "/file", O_WRONLY) || opens(other + "/new", O_WRONLY | O_CREAT) ||
        ::unlink((other + "/file").c_str()) == 0)
        return writes;
    if (!opens(allowed + "/new", O_WRONLY | O_CREAT) || ::unlink((allowed + "/new").c_str()) != 0)
        return exception_fails;
    ::execl("/bin/true", "true", nullptr); // exits with 0 if it runs
    return works;
}

} // namespace

TEST_CASE("A confined thread runs no program, and reads and changes no file elsewhere") {
    const bool restricts_reading = GENERATE(false, true);
    CAPTURE(restricts_reading);
    std::string allowed = "/tmp/sse-allowed-XXXXXX", other = "/tmp/sse-other-XXXXXX";
    REQUIRE(::mkdtemp(allowed.data()) != nullptr);
    REQUIRE(::mkdtemp(other.data()) != nullptr);
    REQUIRE(opens(other + "/file", O_WRONLY | O_CREAT));
    const auto child = ::fork();
    if (child == 0) ::_exit(100 + confined(allowed, other, restricts_reading));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    const int outcome = WEXITSTATUS(status) - 100; // -100: it ran a program
    CHECK((outcome == works || outcome == unavailable));
    ::unlink((other + "/file").c_str());
    ::rmdir(other.c_str());
    ::rmdir(allowed.c_str());
}
