// What tail does with what a client hears: selects, prints, records, and knows when it has enough.
#pragma once

#include "client/client.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/tail/event_filter.hpp"
#include "cmd/tail/executor.hpp"
#include "cmd/tail/last_id_file.hpp"
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
    std::optional<std::size_t> count;    ///< -n: events printed
    std::vector<std::string> until;      ///< --until: a type
    std::vector<std::string> until_data; ///< --until-data: the whole data
    bool verbose = false;                ///< -v
};

/// What all followers of a command share. Each locks `mutex` for what it hears.
struct Following {
    /// The references must outlive it.
    Following(const FollowOptions& o, Printer& p, Output& out)
        : options(o)
        , printer(p)
        , output(out) {}

    /// What was asked for by -n, --until or --until-data has come, or none of them was given.
    bool satisfied() const;

    const FollowOptions& options;
    Printer& printer;
    Output& output;
    std::unique_ptr<Recorder> recorder; ///< may be null
    std::unique_ptr<LastIdFile> state;  ///< may be null
    std::unique_ptr<Stats> stats;       ///< may be null
    std::unique_ptr<Executor> executor; ///< may be null
    std::mutex mutex;
    std::size_t printed = 0;
    std::size_t selected = 0; ///< of these some may have had nothing to print
    bool until_came = false;
    bool over = false;        ///< enough has come: nothing more is heard
    bool on_terminal = false; ///< stderr is one: whoever looks at it is told of a wait, -v or not
};

/// The listener of one client. `enough` is called once, when nothing need be followed further.
class Follower : public sse::Client::Listener {
public:
    /// `name` marks its lines; "" for none. `url` is what the state knows the stream by.
    Follower(Following& following, std::string name, std::string url, std::string last_event_id);
    void when_enough(std::function<void()> action) { enough_ = std::move(action); }

    void on_event(const sse::EventView& event) override;
    void on_id(std::string_view id) override;
    void on_comment(std::string_view text) override;
    void on_retry(std::chrono::milliseconds time) override;
    void on_read(std::string_view bytes) override;
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
    /// Its client has come back.
    void on_end(sse::Client::End end);

private:
    bool is_last(const sse::EventView& event) const;
    /// Prints it, and runs the command for it. False if there is nothing of it to be had.
    bool pass_on(const sse::EventView& event);
    /// Whoever reads stdout has been given all that was heard until now: the state may say so, once
    /// the recording has it, too.
    void written();
    void tell(const std::string& text) const;
    void say(const std::string& text) const; ///< with -v

    Following& all_;
    EventFilter selector_;
    std::string name_, url_;
    std::size_t number_ = 0; ///< in the stats
    std::string unsendable_; ///< the id that was told of
    bool told_away_ = false; ///< that it waits to connect again
    std::function<void()> enough_;
    std::string last_event_id_;
};

} // namespace cmd
