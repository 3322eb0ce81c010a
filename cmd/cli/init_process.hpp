// The duties of process 1, which a command has as the first process of a container.
#pragma once

#include <optional>

namespace cmd {

/// If this is process 1, continues in a child process, and stays behind as its parent: reaps every
/// orphan that the kernel gives to process 1, and forwards the signals that other processes send.
/// Returns the exit status of the child (128 + signal) once it has ended; nullopt in the child, and
/// in a process that is not process 1. Call before any thread is started.
std::optional<int> run_as_init();

} // namespace cmd
