// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import io.telechat.core.Message;
import io.telechat.core.comm.launch.RankLine.Beat;
import io.telechat.core.comm.launch.RankLine.Failure;
import io.telechat.core.comm.launch.RankLine.Say;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs ranks to their end, and tells in one message what they failed of: one that reports, one that was killed, or one that does not
 * answer any more. Nothing is left running.
 */
public final class RankSupervisor {
    /** How Open MPI tells that a process was killed; since its version 5 on two lines. */
    private static final Pattern KILLED =
            Pattern.compile("process rank (\\d+) with PID \\d+ on node (\\S+) exited on\\s+signal (\\d+)");

    /** MPICH ends with the number of the signal that a process was killed by, and does not say which process: ABRT, BUS, KILL, SEGV. */
    private static final Set<Integer> SIGNALS = Set.of(6, 7, 9, 11);

    /** Open MPI adds this to it. */
    private static final int SIGNALLED = 128;

    private static final int FAILED = 5;

    private final List<String> command;
    private final Map<String, String> environment;
    private final Duration silence;
    private final Path log;
    private final Consumer<String> show;
    private final Map<Integer, Long> lastBeats = new ConcurrentHashMap<>();
    private final Map<Integer, Beat> beats = new ConcurrentHashMap<>();
    private volatile Optional<Failure> failure = Optional.empty();
    private String lineBefore = "";
    private volatile Optional<Message> killed = Optional.empty();
    private volatile Optional<Message> silent = Optional.empty();
    private final CountDownLatch started = new CountDownLatch(1);
    private volatile Process process;
    private volatile boolean ended;
    private volatile OutputStream toFirstRank;

    /**
     * How it ended.
     *
     * @param code of the program
     * @param message what the ranks failed of, if they did
     */
    public record Outcome(int code, Optional<Message> message) {}

    /**
     * @param environment of the processes, and nothing beside it
     * @param silence how long a rank may not be heard of
     * @param log for what the processes write that is not for people
     * @param show takes what is
     */
    public RankSupervisor(
            List<String> command, Map<String, String> environment, Duration silence, Path log, Consumer<String> show) {
        this.command = List.copyOf(command);
        this.environment = Map.copyOf(environment);
        this.silence = silence;
        this.log = log;
        this.show = show;
    }

    /** Asks the first rank to bring the run to an end. For any thread, as the two that follow. */
    public void stop() {
        ask(new RankRequest.Stop());
    }

    /** Hands on what the first rank shall read. */
    public void input(byte[] bytes) {
        ask(new RankRequest.Input(bytes));
    }

    /** Tells the first rank that there is nothing more to read. */
    public void endInput() {
        ask(new RankRequest.EndOfInput());
    }

    /** Ends all ranks as they are. */
    public void end() {
        ended = true;
        Process now = process;
        if (now != null) {
            end(now);
        }
    }

    private void ask(RankRequest request) {
        try {
            started.await();
            synchronized (started) {
                toFirstRank.write(request.format().getBytes(StandardCharsets.UTF_8));
                toFirstRank.flush();
            }
        } catch (IOException e) {
            return; // it has ended already
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Starts the processes, and returns when all have ended. */
    public Outcome run() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.INHERIT);
        builder.environment().clear();
        builder.environment().putAll(environment);
        Files.createDirectories(log.toAbsolutePath().getParent());
        process = builder.start();
        Thread killer = new Thread(() -> end(process));
        Runtime.getRuntime().addShutdownHook(killer);
        toFirstRank = process.getOutputStream();
        started.countDown();
        Thread reader = Thread.ofPlatform().daemon().name("telechat-ranks").start(this::read);
        try {
            watch();
            reader.join();
        } catch (InterruptedException e) {
            end(process);
            Thread.currentThread().interrupt();
        } finally {
            removeHook(killer);
        }
        return outcome(process.exitValue());
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the program is ending, and the hook does its work
        }
    }

    private void read() {
        try (BufferedReader lines =
                        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
                PrintWriter rest = new PrintWriter(Files.newBufferedWriter(log))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Optional<RankLine> told = RankLine.parse(line);
                if (told.isEmpty()) {
                    noticeKilled(line);
                    rest.println(line);
                    rest.flush();
                    continue;
                }
                switch (told.get()) {
                    case Say say -> show.accept(say.text());
                    case Beat beat -> {
                        beats.put(beat.rank(), beat);
                        lastBeats.put(beat.rank(), System.nanoTime());
                    }
                    case Failure of -> failure = failure.or(() -> Optional.of(of));
                }
            }
        } catch (IOException e) {
            end(process); // nobody hears the ranks any more
        }
    }

    private void noticeKilled(String line) {
        Matcher matcher = KILLED.matcher(lineBefore + "\n" + line);
        lineBefore = line;
        if (matcher.find()) {
            int rank = Integer.parseInt(matcher.group(1));
            killed = killed.or(() -> Optional.of(Message.of(
                    "rank %d on %s was killed by signal %s, at %s",
                    rank, matcher.group(2), matcher.group(3), doing(rank))));
        }
    }

    private String doing(int rank) {
        return beats.containsKey(rank) ? beats.get(rank).doing() : "start";
    }

    private void watch() throws InterruptedException {
        while (!process.waitFor(1, TimeUnit.SECONDS)) {
            long now = System.nanoTime();
            for (Map.Entry<Integer, Long> last : lastBeats.entrySet()) {
                if (silent.isEmpty() && now - last.getValue() > silence.toNanos()) {
                    Beat beat = beats.get(last.getKey());
                    silent = Optional.of(Message.of(
                            "rank %d on %s has not been heard of for %d s, at %s",
                            beat.rank(), beat.host(), silence.toSeconds(), beat.doing()));
                    end(process);
                }
            }
        }
    }

    /** Asks mpirun to end its processes, which it does for sure; then ends it. */
    private static void end(Process process) {
        try {
            process.destroy();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private Outcome outcome(int code) {
        if (failure.isPresent()) {
            Failure of = failure.get();
            return new Outcome(
                    of.code(),
                    Optional.of(Message.of("%s (rank %d on %s, at %s)", of.text(), of.rank(), of.host(), of.doing())));
        }
        if (ended) {
            return new Outcome(0, Optional.empty());
        }
        Optional<Message> message = silent.or(() -> killed);
        if (message.isPresent()) {
            return new Outcome(FAILED, message);
        }
        int signal = code > SIGNALLED ? code - SIGNALLED : code;
        if (SIGNALS.contains(signal)) {
            return new Outcome(FAILED, Optional.of(Message.of("a rank was killed by signal %d; see %s", signal, log)));
        }
        return code == 0 || code == 130 || code == 143
                ? new Outcome(code, Optional.empty())
                : new Outcome(
                        FAILED, Optional.of(Message.of("the ranks could not be started or ended early; see %s", log)));
    }
}
