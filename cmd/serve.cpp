// sse serve: put a stream of events on the web.
#include "cmd/command.hpp"
void cmd::add_serve(CLI::App&, Run&) {}
