// Running a server: what an operator asks it, and what it tells him. Not the serving.
#pragma once

#include "handlers/admin_handler.hpp"
#include "hub/counts.hpp"
#include "server/access_log.hpp"
#include "server/server.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace cmd {

class TerminalLine;

struct OperationOptions {
    std::string admin;      ///< address; "": none
    std::string access_log; ///< file, - for stderr; "": none
    std::string user;       ///< NAME[:GROUP] to go on as; "": stay
};

/// Adds --admin, --access-log and --user; `options` must outlive the parse.
void add_operation_options(CLI::App& app, OperationOptions& options);

/// One server's, for its whole life.
class Operation {
public:
    /// Before the server listens: opens the log and the admin listener, and says where it is.
    /// Throws Failure. All three must outlive it.
    Operation(const OperationOptions& options, sse::Server& server,
              const sse::CountsSource& counts);
    ~Operation();

    /// Once all listens, before it runs: leaves root, answers signals (SIGHUP: the log is opened
    /// anew; SIGUSR1: the state is printed), tells the service manager, shows the status line.
    void begin();
    /// When it has run: the line goes, and the totals are printed.
    void end();

private:
    void listen_admin();
    void leave_root();
    void print_state() const;
    std::string status();

    const OperationOptions& options_;
    sse::Server& server_;
    const sse::CountsSource& counts_;
    const std::chrono::steady_clock::time_point started_;
    std::optional<sse::AccessLog> log_;
    sse::AdminHandler admin_;
    std::unique_ptr<TerminalLine> line_;

    struct Rate { ///< of events, over about a second; the status line's own
        std::chrono::steady_clock::time_point since;
        std::uint64_t events = 0;
        double per_second = 0;
    } rate_;
};

} // namespace cmd
