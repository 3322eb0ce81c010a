// Reads the cassettes of VCR and of its relatives in Python, vcrpy and pytest-recording, which are
// YAML, into recordings. Needs yaml-cpp; a build without it refuses them.
#pragma once

#include "recording/input.hpp"
#include "recording/writer.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

struct VcrOptions {
    /// Maximum size of a cassette in bytes, and of all its bodies and fields together, each as
    /// often as it is referred to. A cassette is read into memory, where it takes many times its
    /// size.
    std::size_t max_bytes = 64 * 1024 * 1024;
    /// Maximum number of its maps, lists and scalars, aliases included. In memory, each takes up to
    /// 0.5 KiB besides its text.
    std::size_t max_values = 1'000'000;
    /// Called with `file:line: reason` for bodies that are damaged.
    std::function<void(const std::string&)> warn = [](const std::string&) {};
};

/// True if this start of a file is that of a cassette.
bool is_vcr(std::string_view start);

/// Writes each interaction of the cassette `input` to a recording of its own, which `make` gives:
/// an exact one, whose body is one read at time 0. Throws Error: bad_input with the file's name and
/// line if it is no cassette or has no interaction, too_large, io.
void read_vcr(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
              const VcrOptions& options = {});

} // namespace sse
