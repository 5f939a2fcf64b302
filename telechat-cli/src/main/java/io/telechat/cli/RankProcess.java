// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.TelechatException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.launch.RankReporter;
import io.telechat.core.comm.launch.RankRequest;
import io.telechat.core.comm.mpi.MpiTransport;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/** This process as one of several ranks that {@link RankLauncher} has started. */
final class RankProcess implements AutoCloseable {
    /** Set where this process is a rank. */
    static final String PROPERTY = "telechat.rank";

    /** Set where somebody types what the first rank reads. */
    static final String DIALOG = "telechat.rank.dialog";

    /** A rank that computes says so; this is for those that wait for one another, all of them. */
    static final Duration PATIENCE = Duration.ofMinutes(10);

    private final Communicator ranks;
    private final RankReporter reporter;
    private volatile String doing = "start";
    private final PipedOutputStream input = new PipedOutputStream();
    private volatile Optional<Runnable> stop = Optional.empty();

    /** What a rank does. */
    interface Work {
        int run(RankProcess rank) throws IOException;
    }

    private RankProcess(Communicator ranks, PrintStream err) {
        this.ranks = ranks;
        this.reporter = new RankReporter(err, ranks.rank(), () -> doing + " " + ranks.current());
    }

    static boolean isOne() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Whether somebody sits before the launcher. */
    static boolean hasDialog() {
        return Boolean.getBoolean(DIALOG);
    }

    /** Threads of a rank that was not told how many: its share of this machine's processors. */
    static int defaultThreads() {
        int processors = Runtime.getRuntime().availableProcessors();
        int here = Stream.of("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")
                .map(System.getenv()::get)
                .filter(value -> value != null && value.matches("\\d{1,6}"))
                .findFirst()
                .map(Integer::parseInt)
                .orElse(1);
        return isOne() ? Math.max(1, processors / here) : processors;
    }

    /**
     * Joins the other ranks and works with them. What fails is told to the launcher, and ends all ranks.
     *
     * @param directory for the logs of all ranks but the first, whose lines are shown; empty to do without them
     * @param patience how long a rank waits for the others
     * @return the exit code
     */
    static int run(Optional<Path> directory, Duration patience, Work work) {
        PrintStream err = System.err;
        Communicator ranks = new Communicator(MpiTransport.world(patience));
        try (RankProcess rank = new RankProcess(ranks, err)) {
            try {
                System.setErr(rank.log(directory));
                if (ranks.rank() == 0) {
                    rank.listen();
                }
                return work.run(rank);
            } catch (IOException | RuntimeException | Error e) {
                rank.reporter.fail(
                        ExitCode.of(e), e instanceof TelechatException ? e.getLocalizedMessage() : e.toString());
                if (ranks.rank() > 0 || !(e instanceof TelechatException)) {
                    e.printStackTrace(); // into the rank's log, or because nobody has foreseen it
                }
                ranks.abort();
                throw new AssertionError("goes on behind its end", e);
            }
        }
    }

    Communicator ranks() {
        return ranks;
    }

    /** What this rank is about, for messages. */
    void doing(String what) {
        doing = what;
    }

    /**
     * Without an action, the request to stop is the end of what the first rank reads.
     *
     * @param action brings the work to an end, from another thread
     */
    void onStop(Optional<Runnable> action) {
        stop = action;
    }

    private PrintStream log(Optional<Path> directory) throws IOException {
        if (ranks.rank() == 0) {
            return new PrintStream(new Lines(), true, StandardCharsets.UTF_8);
        }
        if (directory.isEmpty()) {
            return new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        }
        Path logs = Files.createDirectories(directory.get().resolve("logs"));
        return new PrintStream(
                Files.newOutputStream(logs.resolve("rank-%d.log".formatted(ranks.rank()))),
                true,
                StandardCharsets.UTF_8);
    }

    /** The launcher asks for the end, and hands on what it reads; when it does not speak any more, it is gone. */
    private void listen() throws IOException {
        InputStream launcher = System.in;
        System.setIn(new PipedInputStream(input, 1 << 16));
        Thread.ofPlatform().daemon().name("telechat-stop").start(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(launcher, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    hear(RankRequest.parse(line));
                }
                ranks.abort();
            } catch (IOException e) {
                ranks.abort();
            }
        });
    }

    private void hear(RankRequest request) throws IOException {
        switch (request) {
            case RankRequest.Input more -> {
                input.write(more.bytes());
                input.flush();
            }
            case RankRequest.EndOfInput end -> input.close();
            case RankRequest.Stop now -> {
                if (stop.isPresent()) {
                    stop.get().run();
                } else {
                    input.close();
                }
            }
        }
    }

    /** Hands whole lines to the launcher. */
    private final class Lines extends OutputStream {
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int b) {
            if (b == '\n') {
                reporter.say(line.toString(StandardCharsets.UTF_8));
                line.reset();
            } else {
                line.write(b);
            }
        }
    }

    @Override
    public void close() {
        ranks.close();
        reporter.close();
    }
}
