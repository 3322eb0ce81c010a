// sse tail: follow a stream and print its events.
#include "cmd/command.hpp"
void cmd::add_tail(CLI::App&, Run&) {}
