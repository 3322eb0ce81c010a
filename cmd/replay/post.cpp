#include "cmd/replay/post.hpp"

#include "base/error.hpp"
#include "client/poster.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/signals.hpp"
#include "http/url.hpp"
#include "protocol/parser.hpp"
#include "recording/record_events.hpp"

#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

std::string way_out(sse::Errc code) {
    switch (code) {
    case sse::Errc::http_status: return "--header 'Authorization: ...' says who posts";
    case sse::Errc::tls_verify: return "SSL_CERT_FILE in the environment names what is trusted";
    case sse::Errc::resolve:
    case sse::Errc::connect: return "check the URL of --post, and that its server runs";
    default: return "play the rest later, with --from";
    }
}

/// Posts what it hears.
class PostedEvents : public sse::Parser::Sink {
public:
    explicit PostedEvents(sse::Poster& poster)
        : poster_(poster) {}
    std::uint64_t count() const { return count_; }
    void on_event(const sse::EventView& event) override {
        ++count_;
        try {
            poster_.post(event);
        } catch (const sse::Error& e) { // not one of the recording's
            throw Failure(exit_status(e.code()), e.what(), way_out(e.code()));
        }
    }

private:
    sse::Poster& poster_;
    std::uint64_t count_ = 0;
};

void post_all(sse::Playback& playback, PostedEvents& posted, sse::Interrupt& interrupt) {
    sse::RecordEvents events(posted);
    std::uint64_t lap = 1, before = posted.count();     // events before that lap
    constexpr std::chrono::milliseconds look_again{50}; // at a file that grows
    for (;;) {
        if (interrupt) throw sse::Interrupted();
        const bool grows = playback.grows(); // before what is read, so that nothing is missed
        const auto now = std::chrono::steady_clock::now();
        const bool more = playback.peek(now + look_again) != nullptr;
        if (playback.looking()) continue;
        if (interrupt) throw sse::Interrupted();
        if (!more && !grows) return;
        const auto due = more ? playback.due(now) : now + look_again;
        if (due > now && !interrupt.sleep_until(due)) throw sse::Interrupted();
        if (!more) continue;
        if (playback.position().lap != std::exchange(lap, playback.position().lap) &&
            posted.count() == std::exchange(before, posted.count())) {
            throw sse::Error(sse::Errc::bad_input,
                             fmt::format("{}: a lap of it posts nothing, so no other would be sent",
                                         playback.reader().input().name()));
        }
        events.take(*playback.peek());
        playback.take();
    }
}

sse::PosterOptions poster_options(const std::string& url,
                                  const std::vector<std::pair<std::string, std::string>>& headers) {
    sse::PosterOptions options;
    try {
        options.request.url = sse::Url::parse(url);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, e.what(),
                      "write it as http://HOST:PORT/PATH; :8080 is this machine");
    }
    for (const auto& [name, value] : headers) options.request.set(name, value);
    return options;
}

} // namespace

int post(Recordings& recordings, const sse::PlaybackOptions& options, const std::string& url,
         const std::vector<std::pair<std::string, std::string>>& headers) {
    sse::Interrupt interrupt;
    const Signals signals(interrupt);
    sse::Poster poster(poster_options(url, headers), interrupt);
    PostedEvents posted(poster);
    const auto report = [&] {
        note(fmt::format("{} event{} accepted by {}, retried {} times{}{}", poster.accepted(),
                         poster.accepted() == 1 ? "" : "s", url, poster.retried(),
                         poster.last_response().empty() ? "" : "; the last as ",
                         poster.last_response()));
    };
    try {
        for (std::size_t i = 0; i < recordings.files().size(); ++i) {
            auto reader = options.reader;
            reader.wait = [&](int fd) {
                return interrupt.wait(fd, POLLIN) == sse::Interrupt::Woken::ready;
            };
            sse::Playback playback(recordings.open(i, reader), options);
            post_all(playback, posted, interrupt);
            warn_about(playback, options, recordings.name(i));
        }
    } catch (const sse::Interrupted&) {
        report();
        return 128 + signals.caught();
    } catch (...) {
        report();
        throw;
    }
    report();
    return Exit::done;
}

} // namespace cmd
