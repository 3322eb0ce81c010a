#include "cmd/serve/serve_store.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <system_error>

namespace cmd {

namespace {

std::optional<std::uint64_t> whole_number(const std::string& text) {
    std::uint64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

/// `7d`, `10gb` or `1000000`, joined by commas; "" in `why` if `text` is one.
sse::Retention retention(const std::string& text) {
    sse::Retention out;
    for (const auto& part : CLI::detail::split(text, ',')) {
        auto bytes = part;
        const bool size = !part.empty() && (part.back() == 'b' || part.back() == 'B');
        try {
            if (const auto events = whole_number(part)) out.events = *events;
            else if (size && (CLI::AsSizeValue(false)(bytes), whole_number(bytes)))
                out.bytes = *whole_number(bytes);
            else out.age = std::chrono::ceil<std::chrono::milliseconds>(parse_duration(part));
        } catch (const std::exception&) {
            throw CLI::ValidationError(
                "--retain", fmt::format("\"{}\" is not an age such as 7d, a size such as 10gb, a "
                                        "number of events, or several of them with commas",
                                        sse::printable(text, 60)));
        }
    }
    return out;
}

sse::StoreSync sync_of(const std::string& text) {
    using When = sse::StoreSync::When;
    if (text == "always") return {When::always, {}};
    if (text == "never") return {When::never, {}};
    try {
        const auto interval = std::chrono::ceil<std::chrono::milliseconds>(parse_duration(text));
        if (interval.count() > 0) return {When::interval, interval};
    } catch (const sse::Error&) { // refused below
    }
    throw CLI::ValidationError("--store-sync",
                               fmt::format("\"{}\" is not always, never or a time such as 50ms",
                                           sse::printable(text, 60)));
}

} // namespace

void add_store_options(CLI::App& app, StoreFlags& flags) {
    const auto group = "Store";
    auto* const store =
        with_example(app.add_option("--store", flags.directory,
                                    "Keep the events in this directory, so that clients resume "
                                    "after a restart and beyond the history"),
                     "/var/lib/sse")
            ->type_name("DIR")
            ->group(group);
    with_example(app.add_option_function<std::string>(
                     "--retain",
                     [&flags](const std::string& text) { flags.store.retain = retention(text); },
                     "Remove the oldest events of the store beyond an age, a size or a number, "
                     "whichever comes first (default: keep all)"),
                 "7d,10gb")
        ->type_name("LIMITS")
        ->needs(store)
        ->group(group);
    app.add_option_function<std::string>(
           "--store-sync", [&flags](const std::string& text) { flags.store.sync = sync_of(text); },
           "Sync stored events to the disk always, after a time at most, or never; a POST is "
           "answered after the sync")
        ->type_name("WHEN")
        ->default_str(format_duration(flags.store.sync.interval))
        ->needs(store)
        ->group(group);
}

std::unique_ptr<sse::DiskLog> open_store(const StoreFlags& flags) {
    if (flags.directory.empty()) return nullptr;
    auto options = flags.store;
    options.on_note = [](const std::string& text) { warn(text); };
    try {
        auto files = std::make_unique<sse::StoreFiles>(flags.directory);
        auto store = std::make_unique<sse::DiskLog>(std::move(files), std::move(options));
        for (const auto& text : store->notes()) note(text);
        return store;
    } catch (const std::system_error& e) {
        throw Failure(Exit::io_error, e.what(), "give --store a directory that can be written");
    } catch (const sse::Error& e) {
        throw Failure(exit_status(e.code()), e.what(),
                      e.code() == sse::Errc::io ? "give each server its own directory with --store"
                                                : "update sse, or give --store another directory");
    }
}

std::vector<std::string> store_paths(const StoreFlags& flags) {
    if (flags.directory.empty()) return {};
    std::vector<std::string> paths = {flags.directory};
    const sse::StoreFiles files(flags.directory);
    for (const auto& name : files.list()) paths.push_back(files.path(name));
    return paths;
}

} // namespace cmd
