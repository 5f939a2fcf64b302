// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import io.telechat.core.comm.launch.RankLine.Beat;
import io.telechat.core.comm.launch.RankLine.Failure;
import io.telechat.core.comm.launch.RankLine.Say;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A rank's side of {@link RankSupervisor}: says what is to be shown, that it lives, and what it failed of. Thread-safe. */
public final class RankReporter implements AutoCloseable {
    /** So often a rank tells what it is about. */
    public static final long BEAT_MILLIS = 1_000;

    private final PrintStream out;
    private final int rank;
    private final String host;
    private final Supplier<String> doing;
    private final ScheduledExecutorService beats;

    /**
     * @param out the process's own stderr
     * @param doing what the rank is about, in a few words
     */
    public RankReporter(PrintStream out, int rank, Supplier<String> doing) {
        this.out = out;
        this.rank = rank;
        this.host = hostName();
        this.doing = doing;
        this.beats = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("telechat-beat").factory());
        beats.scheduleAtFixedRate(
                () -> write(new Beat(rank, host, doing.get())), 0, BEAT_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "this host";
        }
    }

    private void write(RankLine line) {
        synchronized (out) {
            out.print(line.format() + "\n"); // at once, for lines of ranks meet in one pipe
            out.flush();
        }
    }

    /** Shows a line of text. */
    public void say(String text) {
        write(new Say(text));
    }

    /**
     * Tells what the run fails of.
     *
     * @param code that the program ends with
     */
    public void fail(int code, String text) {
        write(new Failure(rank, host, code, doing.get(), text));
    }

    @Override
    public void close() {
        beats.shutdownNow();
    }
}
