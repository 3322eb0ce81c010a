// sse replay: play a recording back with its timing.
#include "cmd/command.hpp"
void cmd::add_replay(CLI::App&, Run&) {}
