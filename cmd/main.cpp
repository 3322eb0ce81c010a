#include "cmd/cli/program.hpp"

int main(int argc, char** argv) { return cmd::run_program(argc, argv); }
