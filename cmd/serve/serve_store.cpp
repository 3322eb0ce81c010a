#include "cmd/serve/serve_store.hpp"

#include "base/open_file.hpp"
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

namespace cmd {

namespace {

std::optional<std::uint64_t> whole_number(const std::string& text) {
    std::uint64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

/// Parses `7d`, `10gb` or `1000000`, or several of them separated by commas. Throws
/// CLI::ValidationError.
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

const std::map<std::string, sse::RedisOptions::Ack> acks = {
    {"local", sse::RedisOptions::Ack::local}, {"replica", sse::RedisOptions::Ack::replica}};

void set_place(StoreFlags& flags, const std::string& text) {
    const bool redis = sse::is_redis_url(text);
    flags.directory = redis ? "" : text;
    flags.redis_url = redis ? text : "";
    if (!redis) return;
    try {
        sse::read_redis_url(text, flags.redis);
    } catch (const sse::Error& e) {
        throw CLI::ValidationError("--store", e.what());
    }
}

/// The first line of the file, or the variable of the environment.
std::string password(const StoreFlags& flags) {
    if (flags.password_file.empty()) {
        const char* const value = std::getenv("SSE_STORE_PASSWORD");
        return value ? value : "";
    }
    const auto text = sse::read_file(flags.password_file, "the password");
    return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

void add_store_options(CLI::App& app, StoreFlags& flags) {
    const auto group = "Store";
    auto* const store =
        with_example(app.add_option_function<std::string>(
                         "--store", [&flags](const std::string& text) { set_place(flags, text); },
                         "Store the events in this directory, or in a Redis server that several "
                         "servers share (redis://HOST), so that clients can resume after a restart "
                         "and from events that the history no longer holds"),
                     "/var/lib/sse")
            ->type_name("DIR")
            ->group(group);
    with_example(
        app.add_option_function<std::string>(
            "--retain", [&flags](const std::string& text) { flags.store.retain = retention(text); },
            "Remove the oldest events of the store beyond an age (7d), a size (10gb) or a number "
            "of events; several limits are separated by commas (default: keep all)"),
        "7d,10gb")
        ->type_name("LIMITS")
        ->needs(store)
        ->group(group);
    app.add_option_function<std::string>(
           "--store-sync",
           [&flags](const std::string& text) {
               flags.store.sync = sync_of(text);
               flags.sync_given = true;
           },
           "Sync stored events to the disk at once (always), within a time such as 50ms, or never; "
           "a POST is answered after the sync")
        ->type_name("WHEN")
        ->default_str(format_duration(flags.store.sync.interval))
        ->needs(store)
        ->group(group);
    add_choice(app, "--store-ack", flags.redis.ack, acks,
               "Answer a POST when Redis has stored the events (local), or when a replica has "
               "acknowledged them as well (replica)")
        ->needs(store)
        ->group(group);
    const auto file = [&](const char* name, std::string& path, const char* help,
                          const char* example) {
        with_example(app.add_option(name, path, help), example)
            ->type_name("FILE")
            ->needs(store)
            ->group(group);
    };
    file("--store-password-file", flags.password_file,
         "Log in to Redis with the password in this file (default: the password in "
         "SSE_STORE_PASSWORD, if set)",
         "redis-password");
    file("--store-ca", flags.redis.tls_files.ca_file,
         "Trust the certificate authorities in this file (PEM) instead of those of the system, for "
         "rediss://",
         "ca.pem");
    file("--store-cert", flags.redis.tls_files.cert_file,
         "Send Redis the client certificate in this file (PEM, with its chain)", "client.pem");
    file("--store-key", flags.redis.tls_files.key_file,
         "Private key of the certificate of --store-cert (PEM), if it is not in the same file",
         "client.key");
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

std::unique_ptr<sse::RedisLog> open_redis(const StoreFlags& flags,
                                          std::chrono::milliseconds timeout) {
    if (flags.redis_url.empty()) {
        const auto& files = flags.redis.tls_files;
        if (flags.any() &&
            (flags.redis.ack != sse::RedisOptions::Ack::local || !flags.password_file.empty() ||
             !files.ca_file.empty() || !files.cert_file.empty() || !files.key_file.empty())) {
            throw Failure(Exit::usage,
                          "--store names a directory, which has no password, "
                          "certificates or replicas",
                          "give --store the address of a Redis server, such as redis://localhost");
        }
        return nullptr;
    }
    if (flags.sync_given) {
        throw Failure(Exit::usage, "--store-sync is for a store in a directory",
                      "set appendfsync in the configuration of Redis");
    }
    if (!sse::has_redis()) {
        throw Failure(Exit::usage, "this build cannot use Redis (it has no hiredis)",
                      "install libhiredis-dev and build sse again, or give --store a directory");
    }
    auto options = flags.redis;
    options.store = flags.store;
    options.store.on_note = [](const std::string& text) { warn(text); };
    options.timeout = timeout;
    try {
        options.password = password(flags);
        return std::make_unique<sse::RedisLog>(std::move(options));
    } catch (const std::system_error& e) {
        throw Failure(Exit::io_error, e.what(), "give --store-password-file a readable file");
    } catch (const sse::Error& e) {
        throw Failure(exit_status(e.code()), e.what(),
                      "give --store-ca, --store-cert and --store-key PEM files");
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
