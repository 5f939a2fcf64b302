// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.TelechatException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.launch.RankReporter;
import io.telechat.core.comm.mpi.MpiTransport;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** This process as one of several ranks that {@link RankLauncher} has started. */
final class RankProcess implements AutoCloseable {
    /** Set where this process is a rank. */
    static final String PROPERTY = "telechat.rank";

    /** A rank that computes says so; this is for those that wait for one another, all of them. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final Communicator ranks;
    private final RankReporter reporter;
    private volatile String doing = "start";
    private volatile Runnable stop = () -> {};

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
     * @param directory for the logs of all ranks but the first, whose lines are shown
     * @return the exit code
     */
    static int run(Path directory, Work work) {
        PrintStream err = System.err;
        Communicator ranks = new Communicator(MpiTransport.world(PATIENCE));
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
                e.printStackTrace();
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

    /** @param action brings the work to an end, from another thread */
    void onStop(Runnable action) {
        stop = action;
    }

    private PrintStream log(Path directory) throws IOException {
        if (ranks.rank() == 0) {
            return new PrintStream(new Lines(), true, StandardCharsets.UTF_8);
        }
        Path logs = Files.createDirectories(directory.resolve("logs"));
        return new PrintStream(
                Files.newOutputStream(logs.resolve("rank-%d.log".formatted(ranks.rank()))),
                true,
                StandardCharsets.UTF_8);
    }

    /** The launcher asks for the end on stdin; when that ends, the launcher is gone. */
    private void listen() {
        Thread.ofPlatform().daemon().name("telechat-stop").start(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                while (lines.readLine() != null) {
                    stop.run();
                }
                ranks.abort();
            } catch (IOException e) {
                ranks.abort();
            }
        });
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
