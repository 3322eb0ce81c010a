// The hot paths on fixed inputs, one a run, for callgrind to count: what it counts is the same on
// every machine, while a clock flickers. test_instructions.py holds it against instructions.json.
//
//   instructions         names the cases, one a line, each with its number of events
//   instructions CASE    runs it once to warm up, then once within measured()
#include "bench/inputs.hpp"
#include "cmd/tail/printer.hpp"
#include "hub/channel.hpp"
#include "input/lines.hpp"
#include "protocol/encoder.hpp"
#include "protocol/parser.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t events = 2'000;
volatile std::size_t seen = 0; // so that nothing is left out for having no effect

struct Counter : sse::Parser::Sink {
    void on_event(const sse::EventView& event) override { seen = seen + event.data.size(); }
};

void parse(const std::string& text, std::size_t piece) {
    Counter counter;
    sse::Parser parser(counter);
    for (std::size_t at = 0; at < text.size(); at += piece)
        parser.feed(std::string_view(text).substr(at, piece));
    parser.finish();
}

std::function<void()> parsing(std::size_t bytes, std::size_t lines, std::size_t piece) {
    return [text = bench::stream_text(events, bytes, lines), piece] { parse(text, piece); };
}

void encode() {
    const std::string data(200, 'x');
    sse::Batch batch;
    for (std::size_t n = 0; n < events; ++n) batch.add({"message", data, "1795332563138-12"});
    seen = seen + batch.bytes();
}

/// Events on their way to subscribers that take all at once, each published by itself.
void publish(std::size_t subscribers, std::size_t batch_size) {
    sse::Channel channel({}, 1, [](std::size_t) {});
    auto& shard = channel.shard(0);
    std::vector<std::unique_ptr<sse::Subscriber>> all;
    for (std::size_t i = 0; i < subscribers; ++i) {
        all.push_back(std::make_unique<sse::Subscriber>(shard, sse::Framing::chunked, ""));
        all.back()->on_wake([&subscriber = *all.back()] {
            std::array<std::string_view, 16> pieces;
            while (const auto count = subscriber.gather(pieces)) {
                std::size_t bytes = 0;
                for (std::size_t piece = 0; piece < count; ++piece) bytes += pieces[piece].size();
                subscriber.consume(bytes);
                seen = seen + bytes;
            }
        });
    }
    const std::string data(200, 'x');
    for (std::size_t n = 0; n < events;) {
        sse::Batch batch;
        for (std::size_t i = 0; i < batch_size; ++i, ++n)
            channel.add(batch, {"message", data, std::nullopt},
                        std::chrono::system_clock::time_point(std::chrono::milliseconds(n)));
        channel.publish(std::move(batch));
        shard.drain_inbox();
    }
}

struct Lines : sse::Decoder::Sink {
    void on_event(const sse::EventView& event) override { seen = seen + event.data.size(); }
    void on_comment(std::string_view) override {}
    void on_retry(std::chrono::milliseconds) override {}
    void on_skipped(const std::string&, const std::string&) override {}
};

void read_lines() {
    static const auto text = [] {
        std::string lines;
        for (std::size_t n = 0; n < events; ++n) lines += std::string(200, 'x') + '\n';
        return lines;
    }();
    Lines sink;
    sse::LinesDecoder decoder(sink, {});
    decoder.feed(text);
    decoder.finish();
}

std::function<void()> printing(cmd::Format format) {
    std::vector<std::string> data;
    for (std::size_t n = 0; n < events; ++n) data.push_back(bench::json_data(n));
    return [format, data = std::move(data)] {
        cmd::PrinterOptions options;
        options.colour = true;
        options.fold = true;
        std::size_t n = 0;
        options.now = [&n] {
            const std::chrono::milliseconds since(++n);
            return cmd::Moment{std::chrono::system_clock::time_point(since), since};
        };
        const auto printer = cmd::make_printer(format, std::move(options));
        std::string out;
        for (const auto& one : data) {
            out.clear();
            const sse::EventView event{"message", one, "1795332563138-12"};
            printer->event({event, "1795332563138-12"}, out);
            seen = seen + out.size();
        }
    };
}

struct Case {
    std::string_view name;
    std::function<std::function<void()>()> make;
};

const std::array cases{
    Case{"parse: 60 bytes, whole", [] { return parsing(60, 1, 1 << 30); }},
    Case{"parse: 200 bytes, whole", [] { return parsing(200, 1, 1 << 30); }},
    Case{"parse: 200 bytes, in pieces of 1400", [] { return parsing(200, 1, 1400); }},
    Case{"parse: 200 bytes in 4 data lines, whole", [] { return parsing(200, 4, 1 << 30); }},
    Case{"parse: 20000 bytes, in pieces of 1400", [] { return parsing(20'000, 1, 1400); }},
    Case{"encode: 200 bytes", [] { return encode; }},
    Case{"lines: 200 bytes", [] { return read_lines; }},
    Case{"publish: one at a time, no subscriber", [] { return [] { publish(0, 1); }; }},
    Case{"publish: one at a time, 100 subscribers", [] { return [] { publish(100, 1); }; }},
    Case{"publish: batches of 100, 100 subscribers", [] { return [] { publish(100, 100); }; }},
    Case{"print: data", [] { return printing(cmd::Format::data); }},
    Case{"print: json", [] { return printing(cmd::Format::json); }},
    Case{"print: sse", [] { return printing(cmd::Format::sse); }},
    Case{"print: pretty", [] { return printing(cmd::Format::pretty); }},
};

} // namespace

/// What callgrind counts (--toggle-collect=measured).
extern "C" [[gnu::noinline]] void measured(const std::function<void()>& work);
extern "C" void measured(const std::function<void()>& work) {
    work();
    seen = seen + 1;
}

int main(int argc, char** argv) {
    for (const auto& [name, make] : cases) {
        if (argc < 2) std::printf("%zu %s\n", events, std::string(name).c_str());
        else if (name == argv[1]) {
            const auto work = make();
            work();
            measured(work);
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
