#include "cmd/serve_input.hpp"

#include "cmd/choice.hpp"
#include "cmd/command.hpp"
#include "protocol/encoder.hpp"
#include "source/input_reader.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <map>
#include <utility>

namespace cmd {

namespace {

const std::map<std::string, sse::InputForm> forms = {{"lines", sse::InputForm::lines},
                                                     {"json", sse::InputForm::json},
                                                     {"sse", sse::InputForm::sse},
                                                     {"blocks", sse::InputForm::blocks},
                                                     {"nul", sse::InputForm::nul}};

/// A type that the format can carry.
std::string check_type(const std::string& type) {
    std::string block;
    try {
        sse::encode({type, "", std::nullopt}, block);
    } catch (const sse::Error& e) {
        return e.what();
    }
    return "";
}

} // namespace

void add_input_options(CLI::App& app, InputOptions& o) {
    app.add_option("FILE", o.files, "What to serve; - or none is standard input");

    const auto input = "Input";
    add_choice(app, "--input", o.pump.form, forms,
               "How the input says its events: lines, JSON objects one a line, event-stream text, "
               "blocks of lines with blank lines between, or text with NUL at its end")
        ->group(input);
    app.add_option("--event", o.pump.decoder.event, "Type of the events that come without one")
        ->check(check_type, "")
        ->group(input);
    app.add_option("--max-event-bytes", o.pump.decoder.max_event_bytes,
                   "Bytes that one event may have; a longer one is skipped")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str()
        ->group(input);
    app.add_flag("--strict", o.pump.strict, "Input that is no event ends the run with status 3")
        ->group(input);
    app.add_option("--end-event", o.end_event, "Send a last event of that type at the end")
        ->check(check_type, "")
        ->group(input);
}

Inputs::Inputs(const InputOptions& options, sse::Channels& channels, const std::string& channel)
    : options_(options)
    , channel_(channels.open(channel)) {
    auto files = options.files;
    if (files.empty()) files.emplace_back("-");
    for (const auto& file : files) {
        pumps_.push_back(std::make_unique<InputPump>(std::make_unique<sse::InputReader>(file),
                                                     options.pump, channels, channel, nullptr));
    }
}

Inputs::~Inputs() {
    stop();
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

void Inputs::start(std::function<void(bool)> on_end) {
    on_end_ = std::move(on_end);
    running_ = pumps_.size();
    for (const auto& pump : pumps_) threads_.emplace_back([this, &pump] { run(*pump); });
}

void Inputs::run(InputPump& pump) {
    try {
        if (!pump.run()) stopped_ = true;
    } catch (...) {
        {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
        stop();
    }
    if (--running_ == 0) ended();
}

void Inputs::ended() {
    bool failed = false;
    {
        const std::lock_guard lock(mutex_);
        failed = failure_ != nullptr;
    }
    if (!failed && !stopped_ && !options_.end_event.empty()) {
        sse::Publisher publisher(*channel_);
        publisher.add({options_.end_event, "", std::nullopt});
        publisher.flush();
    }
    on_end_(failed);
}

void Inputs::stop() {
    for (const auto& pump : pumps_) pump->stop();
}

void Inputs::join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    if (failure_) std::rethrow_exception(failure_);
}

} // namespace cmd
