// Runs sse for each command line on standard input, each in a child of its own, which is not loaded
// anew: for tables of hundreds of command lines, whose time would go into the dynamic linker.
//
// A command line is the number of its parts on a line, and the parts, each ended by a NUL: a
// directory, and the arguments. What comes back on standard output: a line with the exit status and
// the lengths of what it wrote on its standard output and on its standard error, and then both.
#include "cmd/cli/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void run(std::vector<std::string>& line, int out, int err) {
    const int none = ::open("/dev/null", O_RDONLY);
    ::dup2(none, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    for (const int fd : {none, out, err}) ::close(fd);
    if (::chdir(line[0].c_str()) != 0) std::exit(127);
    std::vector<char*> argv;
    line[0] = "sse";
    for (auto& argument : line) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::exit(cmd::run_program(static_cast<int>(line.size()), argv.data()));
}

std::string contents(std::FILE* file) {
    std::string text;
    std::rewind(file);
    char piece[4096];
    while (const auto n = std::fread(piece, 1, sizeof piece, file)) text.append(piece, n);
    std::fclose(file);
    return text;
}

} // namespace

int main() {
    for (std::string count; std::getline(std::cin, count);) {
        std::vector<std::string> line(std::stoul(count));
        for (auto& part : line) std::getline(std::cin, part, '\0');
        std::FILE* const out = std::tmpfile();
        std::FILE* const err = std::tmpfile();
        const auto child = ::fork();
        if (child == 0) run(line, ::fileno(out), ::fileno(err));
        int status = 0;
        if (!out || !err || ::waitpid(child, &status, 0) != child) return 1;
        const auto output = contents(out), error = contents(err);
        std::cout << (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)) << ' '
                  << output.size() << ' ' << error.size() << '\n'
                  << output << error << std::flush;
    }
}
