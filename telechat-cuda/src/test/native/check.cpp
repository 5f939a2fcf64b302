// SPDX-License-Identifier: Apache-2.0
// The main program of checks; see check.h. Arguments: names of the cases to run.
#include "check.h"
#include <cstdarg>
#include <sys/wait.h>
#include <unistd.h>

static std::vector<const char*> orders() {
#if defined(__SANITIZE_THREAD__)
    return {"forward", "7"}; // finds races whatever the order
#elif defined(__SANITIZE_ADDRESS__)
    return {"forward"};
#else
    return {"forward", "backward", "7", "8", "9"};
#endif
}

void check::fail(const char* file, int line, const char* format, ...) {
    failures++;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: [order %s] ", file, line, emulation::orderName());
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

std::vector<float> gaussian(size_t count, uint64_t seed) {
    std::vector<float> all(count);
    auto uniform = [&] { // in (0, 1)
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        return ((seed >> 11) + 0.5) * 0x1p-53;
    };
    for (float& x : all) {
        x = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
    }
    return all;
}

void expectNoticed(const char* what, const char* text, const std::function<void()>& action) {
    fflush(nullptr);
    FILE* output = tmpfile();
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(output), STDERR_FILENO);
        for (const char* order : orders()) {
            emulation::chosenOrder() = order;
            action();
        }
        fflush(nullptr);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    std::string said(ftell(output) + lseek(fileno(output), 0, SEEK_END), '\0');
    rewind(output);
    said.resize(fread(&said[0], 1, said.size(), output));
    fclose(output);
    EXPECT(said.find(text) != std::string::npos, "%s was not noticed; instead of \"%s\": %s", what, text, said.c_str());
}

// Weak, so that a file of checks may have its own.
__attribute__((weak)) int main(int count, char** names) {
    int ran = 0;
    for (const check::Case& c : check::cases()) {
        bool wanted = count == 1;
        for (int i = 1; i < count; i++) {
            wanted |= strcmp(names[i], c.name) == 0;
        }
        if (!wanted) {
            continue;
        }
        ran++;
        int before = failures;
        for (const char* order : orders()) {
            emulation::chosenOrder() = order;
            try {
                c.body();
            } catch (const std::exception& e) {
                check::fail(c.name, 0, "%s", e.what());
            }
        }
        fprintf(stderr, "%s: %s\n", c.name, failures == before ? "good" : "FAILED");
    }
    fprintf(stderr, "%d cases, %d failures\n", ran, failures);
    return failures > 0 || ran == 0;
}
