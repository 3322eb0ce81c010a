// Operating a server: admin listener, access log, signals, status line, user. Not the serving.
#pragma once

#include "handlers/admin_handler.hpp"
#include "hub/counts.hpp"
#include "net/given_files.hpp"
#include "server/access_log.hpp"
#include "server/server.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

class TerminalLine;

struct OperationOptions {
    std::string admin;                       ///< address; "": none
    std::string access_log;                  ///< file, - for stderr; "": none
    std::string user;                        ///< NAME[:GROUP] to change to; "": none
    std::vector<std::string> own_files = {}; ///< of the server alone: the user becomes their owner
    /// Opened again by name while the server runs, without root, too.
    std::shared_ptr<sse::GivenFiles> files = std::make_shared<sse::GivenFiles>();
};

/// Adds --admin, --access-log and --user; `options` must outlive the parse.
void add_operation_options(CLI::App& app, OperationOptions& options);

/// The operation of one server; used on the thread that runs it.
class Operation {
public:
    /// Before the server listens: opens the log and the admin listener and prints its address.
    /// Throws Failure. All arguments must outlive it.
    Operation(const OperationOptions& options, sse::Server& server,
              const sse::CountsSource& counts);
    ~Operation();

    /// After all listeners are open and before the server runs: drops root and notifies the service
    /// manager.
    void begin();
    enum class Programs { none, run };
    /// Once everything is open and announced: gives up what the server no longer needs, unless it
    /// runs a program, and shows the status line. It still changes files in `directory`; "": none.
    /// Besides the files of `OperationOptions`, it still reads `files` by name; nullopt: any.
    void settle(Programs programs, const std::string& directory,
                std::optional<std::vector<std::string>> files);
    /// After the server has run: removes the status line and prints the totals.
    void end();

private:
    void listen_admin();
    void drop_privileges();
    void confine(const std::string& changed, std::optional<std::vector<std::string>> read);
    void print_state() const;
    std::string status();

    const OperationOptions& options_;
    sse::Server& server_;
    const sse::CountsSource& counts_;
    const std::chrono::steady_clock::time_point started_;
    std::optional<sse::AccessLog> log_;
    sse::AdminHandler admin_;
    std::unique_ptr<TerminalLine> line_;

    struct Rate { ///< events per second over about a second, for the status line
        std::chrono::steady_clock::time_point since;
        std::uint64_t events = 0;
        double per_second = 0;
    } rate_;
};

} // namespace cmd
