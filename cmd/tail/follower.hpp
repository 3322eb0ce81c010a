// Handles the events of a client for sse tail: selects, prints, records and counts them, runs
// commands, saves IDs, and detects that the stop condition is met.
#pragma once

#include "client/client.hpp"
#include "cmd/cli/json_values.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/tail/delivered_ids.hpp"
#include "cmd/tail/event_filter.hpp"
#include "cmd/tail/executor.hpp"
#include "cmd/tail/printer.hpp"
#include "cmd/tail/recorder.hpp"
#include "cmd/tail/stats.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cmd {

struct FollowOptions {
    SelectOptions select;
    std::optional<std::size_t> count;    ///< -n: stop after this many printed events
    std::vector<std::string> until;      ///< --until: types
    std::vector<std::string> until_data; ///< --until-data: the whole data
    bool verbose = false;                ///< -v
};

/// What the followers of one command share. A follower holds lock() while it handles an event.
struct FollowContext {
    /// The references must outlive it.
    FollowContext(const FollowOptions& o, Printer& p, Output& out)
        : options(o)
        , printer(p)
        , output(out) {}

    /// True if the condition of -n, --until or --until-data is met, or none of them is given.
    bool satisfied() const;
    /// For one follower, which has it for itself, it locks nothing.
    std::unique_lock<std::mutex> lock() {
        return has_several ? std::unique_lock(mutex) : std::unique_lock<std::mutex>();
    }
    /// Writes the output and the recording, and saves the IDs of the events in them. Throws
    /// Failure, sse::Error and std::system_error if that fails.
    void flush();

    const FollowOptions& options;
    Printer& printer;
    Output& output;
    std::unique_ptr<Recorder> recorder;      ///< may be null
    std::unique_ptr<DeliveredIds> delivered; ///< --state; may be null
    std::unique_ptr<Stats> stats;            ///< may be null
    std::unique_ptr<Executor> executor;      ///< may be null
    bool has_several = true;                 ///< more than one follower
    std::mutex mutex;
    std::size_t printed = 0;
    std::size_t selected = 0;        ///< some of them may have had nothing to print
    bool until_matched = false;      ///< --until or --until-data
    bool done = false;               ///< the stop condition is met: later events are ignored
    bool delivery_failed = false;    ///< an event was not delivered: later IDs are not saved
    bool stderr_is_terminal = false; ///< reconnections are then printed without -v
    bool notes_errors = false;       ///< --pointer: errors without a value are printed as notes
    bool noted_unfinished = false;   ///< the note on an unfinished event is printed once
    std::string noted_error;         ///< the last one, which is not printed again
};

/// The listener of one client, on the thread of the client.
class Follower : public sse::Client::Listener {
public:
    /// `name` labels its lines; "" for none. `url` is the key in the state file.
    Follower(FollowContext& context, std::string name, std::string url);
    /// To be called once, before `client` runs, whose events come to this listener. `on_done` is
    /// called once, when the stop condition is met.
    void follow(const sse::Client& client, std::function<void()> on_done) {
        client_ = &client;
        on_done_ = std::move(on_done);
    }

    void on_event(const sse::EventView& event) override;
    void on_id(std::string_view id) override;
    void on_comment(std::string_view text) override;
    void on_retry(std::chrono::milliseconds time) override;
    void on_received(std::string_view bytes) override;
    void on_bytes(std::string_view bytes) override;
    void on_response(const sse::Timing& timing) override;
    void on_open(const sse::Url& url, int status, const sse::Head& head,
                 std::string_view last_event_id) override;
    void on_close(sse::Client::Close how, std::string_view why) override;
    void on_pause() override;
    void on_request(const sse::Url& url, std::string_view head) override;
    void on_head(std::string_view head) override;
    void on_connect(const sse::Url& peer, std::string_view address) override;
    void on_redirect(int status, const sse::ClientRequest& next, bool credentials_dropped) override;
    void on_ignored_coding(std::string_view name) override;
    void on_tls(std::string_view description) override;
    void on_reconnect(std::chrono::milliseconds wait, std::string_view why) override;
    void on_unsendable_id(std::string_view id) override;
    void on_warning(sse::ParseWarning warning, std::string_view line) override;
    /// The client has returned from run().
    void on_end(sse::Client::End end);

private:
    enum class Delivery {
        nothing_to_print,
        delivered,
        refused, ///< by the executor, because of an interrupt or a failed command
    };
    Delivery deliver(const sse::EventView& event);
    bool is_last(const sse::EventView& event) const;
    void add_delivered();
    void note_error(const sse::EventView& event);
    void print_note(const std::string& text) const;
    void print_verbose(const std::string& text) const; ///< with -v

    FollowContext& context_;
    EventFilter filter_;
    std::string name_;
    std::size_t stats_number_ = 0, delivered_number_ = 0;
    std::string unsendable_id_;  ///< the last one that was warned of
    bool is_waiting_ = false;    ///< a reconnection was announced
    bool is_unfinished_ = false; ///< the stream ended inside an event
    const sse::Client* client_ = nullptr;
    std::function<void()> on_done_;
    JsonValues values_;
};

} // namespace cmd
