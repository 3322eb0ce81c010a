// The whole program.
#pragma once

namespace cmd {

/// Parses the command line, runs the command that it chooses and reports on standard error what
/// went wrong. Returns the exit status. Call it once in a process.
int run_program(int argc, char** argv);

} // namespace cmd
