#include "cmd/tail/tail_streams.hpp"

#include "base/ascii.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/term/terminal.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace cmd {

namespace {

/// Refuses an ID of the command line that cannot be sent. For an ID of the server there is a
/// warning.
void check_first_id(const sse::ClientOptions& client) {
    const auto& id = client.last_event_id;
    if (std::any_of(id.begin(), id.end(), sse::is_control))
        throw Failure(Exit::usage,
                      "--last-event-id contains a control character, which a header cannot contain",
                      "use the ID as the server sent it");
    if (id.size() > client.max_sent_id_bytes)
        throw Failure(Exit::usage,
                      fmt::format("--last-event-id has {} bytes; the limit is {}", id.size(),
                                  client.max_sent_id_bytes),
                      "use the ID of another event");
}

/// Refuses options that cannot be used together.
void check_together(const TailOptions& o, Format format) {
    const bool several = o.urls.size() + o.named.size() > 1;
    const auto refuse = [](const char* what, const char* hint) {
        throw Failure(Exit::usage, what, hint);
    };
    if (o.no_reconnect && o.reconnect)
        refuse("--reconnect and --no-reconnect cannot be used together", "use one of them");
    if (o.client.resume_with_get && (o.reconnect || o.no_reconnect))
        refuse("--resume-get cannot be used with --reconnect or --no-reconnect", "use one of them");
    if (format == Format::raw &&
        (!o.follow.select.types.empty() || !o.follow.select.grep.empty())) {
        refuse("-e and --grep cannot be used with -o raw, which prints unparsed bytes",
               "use -o sse to print the selected events");
    }
    if (o.format_text && !o.pointers.empty())
        refuse("--format and --pointer cannot be used together",
               "use a pointer in the format, such as {/a/0}");
    if (o.format && (o.format_text || !o.pointers.empty()))
        refuse("-o cannot be used with --format or --pointer", "remove -o");
    if ((o.join || o.missing) && !o.format_text && o.pointers.empty()) {
        refuse("--join and --pointer-default need --pointer or --format",
               "for example add --pointer /choices/0/delta/content");
    }
    if (several && format == Format::raw)
        refuse("-o raw accepts only one URL", "use -o sse to print the events of several URLs");
    if (o.record.path == "-" && (o.format || o.format_text || !o.pointers.empty()))
        refuse("--record - and an output format both use standard output",
               "remove one of them, or record to a file");
    if (several && !o.record.path.empty())
        refuse("--record accepts only one URL", "run sse tail once for each URL");
    if (several && o.join) refuse("--join accepts only one URL", "run sse tail once for each URL");
    if (several && !o.client.last_event_id.empty()) {
        refuse("--last-event-id accepts only one URL",
               "use --state to save the last event ID of each URL");
    }
    if (o.exec.command.empty() && (o.exec.jobs != 1 || o.exec.stop))
        refuse("--jobs and --exec-fail need --exec", "add --exec COMMAND");
    if (o.exec.jobs > 1000)
        refuse("--jobs is at most 1000", "use a smaller number: each job has a thread");
    if (o.follow.select.invert && o.follow.select.grep.empty())
        refuse("--invert needs --grep", "add --grep RE");
}

sse::ClientOptions client_options(const TailOptions& o, const RequestFlags& request,
                                  const std::string& url, Format format) {
    auto client = o.client;
    apply(request, o.connection, url, client);
    if (const auto* id =
            client.request.find("Last-Event-ID")) { // replaced by the IDs of the stream
        if (client.last_event_id.empty()) client.last_event_id = id->value;
        client.request.erase("Last-Event-ID");
    }
    check_first_id(client);
    // Repeating a POST may cost money or have a second effect.
    client.reconnect = !o.no_reconnect && (o.reconnect || client.request.method == "GET");
    client.reconnect_when_refused = o.reconnect || client.retry_connect;
    client.feed_lines = format == Format::raw &&
                        (o.follow.count || !o.follow.until.empty() || !o.follow.until_data.empty());
    return client;
}

std::size_t width_of_output() {
    const auto columns = terminal_columns(STDOUT_FILENO);
    return columns > 20 ? columns : 80;
}

std::function<Moment()> stopwatch() {
    return [start = std::chrono::steady_clock::now()] {
        const auto passed =
            std::chrono::steady_clock::now() - start; // without the time of a suspended system
        return Moment{std::chrono::system_clock::now(),
                      std::chrono::duration_cast<std::chrono::microseconds>(passed)};
    };
}

/// The name of a URL without one of its own, secrets masked: short, and unlike the others.
std::string name_of(const sse::Url& url) {
    return url.authority() + (url.target == "/" ? "" : sse::mask_url(url.target));
}

} // namespace

std::vector<Stream> streams_of(const TailOptions& o, Format format) {
    check_together(o, format);
    auto request = o.request;
    complete(request);
    std::vector<Stream> streams;
    for (const auto& url : o.urls) {
        auto client = client_options(o, request, url, format);
        auto name = name_of(client.request.url);
        streams.push_back({std::move(name), std::move(client)});
    }
    for (const auto& text : o.named) {
        const auto equals = text.find('=');
        if (equals == text.npos || equals == 0) {
            throw Failure(Exit::usage,
                          fmt::format("--name \"{}\" is not NAME=URL", sse::printable(text, 100)),
                          "use the form --name staging=https://example.org/events");
        }
        streams.push_back(
            {text.substr(0, equals), client_options(o, request, text.substr(equals + 1), format)});
    }
    if (streams.empty())
        throw Failure(Exit::usage, "URL is required",
                      "for example sse tail http://localhost:8080/");
    return streams;
}

namespace {

/// For a recording on standard output.
class NoPrinter : public Printer {
    bool event(const ReceivedEvent&, std::string&) override { return true; }
};

} // namespace

std::unique_ptr<Printer> printer_of(const TailOptions& o, Format format, bool terminal) {
    if (o.record.path == "-") return std::make_unique<NoPrinter>();
    PrinterOptions options;
    options.terminal = terminal;
    options.colour = wants_colour(o.colour);
    options.width = width_of_output;
    options.fold = terminal && !o.no_fold;
    options.now = stopwatch();
    options.join = o.join;
    options.missing = o.missing;
    options.times = o.times;
    options.gap_warn = o.gap_warn;
    if (!o.exec.command.empty() && !o.format && !o.format_text && o.pointers.empty())
        return make_silent_printer();
    if (o.format_text) return make_format_printer(*o.format_text, std::move(options));
    if (!o.pointers.empty()) return make_pointer_printer(o.pointers, std::move(options));
    return make_printer(format, std::move(options));
}

} // namespace cmd
