// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import io.telechat.core.InvalidRequestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One process that runs one program: what is said to it and what it says. */
final class Execution {
    /** For all that comes before the program's first line; a machine that is very busy may need some. */
    static final Duration START = Duration.ofSeconds(60);

    private static final String READY = "ready\n";

    /** The driver says little; what says more is a program that found the pipe, and it gains nothing. */
    private static final int MOST_OUTPUT = 1 << 16;

    private static final SecureRandom RANDOM = new SecureRandom();

    private final Process process;
    private final boolean enclosed;
    private final String token;
    private final CompletableFuture<Long> ready = new CompletableFuture<>();
    private final CompletableFuture<String> end = new CompletableFuture<>();

    private Execution(Process process, boolean enclosed) {
        this.process = process;
        this.enclosed = enclosed;
        byte[] random = new byte[16];
        RANDOM.nextBytes(random);
        this.token = HexFormat.of().formatHex(random);
    }

    /** Runs {@code program} in a process that the driver runs in, which is gone afterwards, and all that it started. */
    static Verdict of(ProcessBuilder builder, boolean enclosed, String program, Duration time) throws IOException {
        Execution execution = new Execution(builder.redirectErrorStream(true).start(), enclosed);
        Thread talk = Thread.ofPlatform().daemon().start(() -> execution.talk(program));
        try {
            return execution.await(time);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            execution.kill();
            join(talk);
        }
    }

    static CancellationException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        CancellationException cancelled = new CancellationException();
        cancelled.initCause(e);
        return cancelled;
    }

    private Verdict await(Duration time) throws InterruptedException {
        long start;
        try {
            start = ready.get(START.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            kill();
            throw new InvalidRequestException("no process for a generated program: %s", complaint(end.join()));
        }
        String said;
        try {
            said = end.get(start + time.toNanos() - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return new Verdict(false, "timed out", seconds(start));
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
        double seconds = seconds(start);
        if (said.contains(token + " passed\n")) {
            return new Verdict(true, "passed", seconds);
        }
        if (said.contains(token + " failed\n")) {
            String why = said.substring(said.indexOf(READY) + READY.length(), said.indexOf(token));
            return new Verdict(false, "failed: " + why.replace('\n', ' '), seconds);
        }
        return new Verdict(false, ending(said), seconds);
    }

    /** How a program ended that did not reach its last line and raised nothing. */
    private String ending(String said) throws InterruptedException {
        if (said.length() >= MOST_OUTPUT || !process.waitFor(1, TimeUnit.SECONDS)) {
            return "failed: it wrote where only verdicts are written";
        }
        int status = process.exitValue();
        return status > 128 ? "killed by signal " + (status - 128) : "failed: it ended before its last line";
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** The last line that begins with the name of who complains, as those of tools and Python's exceptions do. */
    private String complaint(String said) throws InterruptedException {
        List<String> lines = said.lines().filter(line -> !line.isBlank()).toList();
        return lines.stream()
                .filter(line -> line.matches("[\\w.-]+: .*"))
                .reduce((first, next) -> next)
                .orElse(lines.isEmpty() ? "exit " + process.waitFor() : lines.getLast());
    }

    private void talk(String program) {
        try (OutputStream out = process.getOutputStream()) {
            out.write((token + program).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It ended before it had read all: what it says tells why.
        }
        String said = "";
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] some = new byte[4096];
        try {
            InputStream in = process.getInputStream();
            // In a sandbox it is read on to the end: unshare has a word to say when it is ended, and waits for room in
            // the pipe.
            for (int n = in.read(some); n >= 0 && (enclosed || !end.isDone()); n = in.read(some)) {
                if (end.isDone()) {
                    continue;
                }
                all.write(some, 0, n);
                said = all.toString(StandardCharsets.UTF_8);
                if (said.contains(READY)) {
                    ready.complete(System.nanoTime());
                }
                if (said.contains(token) && said.endsWith("\n") || all.size() >= MOST_OUTPUT) {
                    end.complete(said);
                }
            }
        } catch (IOException e) {
            // Killed from here.
        }
        end.complete(said);
        ready.completeExceptionally(new IOException());
    }

    /**
     * Ends all that is left. Of a sandbox the first process is killed, which takes along all others: unshare, its parent,
     * ends when the last one is gone and leaves no zombie. Without a sandbox it is what still descends from the program.
     */
    private void kill() {
        try {
            if (enclosed) {
                process.children().forEach(ProcessHandle::destroyForcibly);
                if (process.waitFor(10, TimeUnit.SECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static void join(Thread talk) {
        try {
            talk.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
