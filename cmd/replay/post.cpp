#include "cmd/replay/post.hpp"

#include "base/error.hpp"
#include "client/poster.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/signals.hpp"
#include "http/url.hpp"
#include "playback/playback_driver.hpp"
#include "protocol/parser.hpp"
#include "recording/record_events.hpp"

#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

std::string hint_for_post(sse::Errc code) {
    switch (code) {
    case sse::Errc::http_status:
        return "check the URL of --post; if the server requires credentials, put USER:PASSWORD@ "
               "into it, or add --header 'Authorization: Bearer TOKEN'";
    case sse::Errc::tls_verify:
        return "set SSL_CERT_FILE to a PEM file with the certificate authority of the server";
    case sse::Errc::resolve:
    case sse::Errc::connect: return "check the URL of --post and that its server is running";
    default: return "post the remaining events later, with --from";
    }
}

/// Posts each event, and counts them.
class EventPoster : public sse::Parser::Sink {
public:
    explicit EventPoster(sse::Poster& poster)
        : poster_(poster) {}
    std::uint64_t count() const { return count_; }
    void on_event(const sse::EventView& event) override {
        ++count_;
        try {
            poster_.post(event);
        } catch (const sse::Error& e) { // of the request, not of the recording
            throw Failure(exit_status(e.code()), e.what(), hint_for_post(e.code()));
        }
    }

private:
    sse::Poster& poster_;
    std::uint64_t count_ = 0;
};

void post_all(sse::Playback& playback, EventPoster& posted, sse::Interrupt& interrupt) {
    using Kind = sse::PlaybackStep::Kind;
    constexpr std::chrono::milliseconds search_time{50}; // between checks for an interrupt
    sse::PlaybackDriver driver(playback);
    sse::RecordEvents events(posted);
    std::uint64_t lap = 1, before = posted.count(); // `before`: events posted before this lap
    for (;;) {
        if (interrupt) throw sse::Interrupted();
        const auto step = driver.step(sse::PlaybackDriver::Clock::now() + search_time);
        if (interrupt) throw sse::Interrupted();
        if (step.kind == Kind::end) return;
        if (step.kind == Kind::wait && !interrupt.sleep_until(step.when)) throw sse::Interrupted();
        if (step.kind != Kind::send) continue;
        if (playback.position().lap != std::exchange(lap, playback.position().lap) &&
            posted.count() == std::exchange(before, posted.count())) {
            throw sse::Error(
                sse::Errc::bad_input,
                fmt::format("{}: no event would be posted, so it cannot be played in a loop",
                            playback.reader().input().name()),
                sse::Reason::empty_lap);
        }
        events.on_record(*step.record);
        playback.advance();
    }
}

sse::PosterOptions poster_options(const std::string& url,
                                  const std::vector<std::pair<std::string, std::string>>& headers) {
    sse::PosterOptions options;
    try {
        options.request.url = sse::Url::parse(url);
    } catch (const sse::Error& e) {
        throw Failure(
            Exit::usage, e.what(),
            "use a URL such as http://HOST:PORT/PATH; :8080 means port 8080 of this machine");
    }
    for (const auto& [name, value] : headers) options.request.set(name, value);
    return options;
}

} // namespace

int post(Recordings& recordings, const sse::PlaybackOptions& options, const std::string& url,
         const std::vector<std::pair<std::string, std::string>>& headers) {
    sse::Interrupt interrupt;
    const Signals signals(interrupt);
    auto poster_settings = poster_options(url, headers);
    const auto target = poster_settings.request.url.shown();
    sse::Poster poster(std::move(poster_settings), interrupt);
    EventPoster posted(poster);
    const auto report = [&] {
        note(fmt::format("{} event{} accepted by {}, retried {} times{}{}", poster.accepted(),
                         poster.accepted() == 1 ? "" : "s", target, poster.retried(),
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
