// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.model.MemoryPlan;
import io.telechat.train.RunEnd;
import io.telechat.train.StepReport;
import io.telechat.train.TrainingListener;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Progress of a run: {@code metrics.jsonl}, a line on stderr now and then (on a terminal: one that changes). */
final class RunLog implements TrainingListener, AutoCloseable {
    private static final String METRICS = "metrics.jsonl";
    private static final long TERMINAL_NANOS = 200_000_000L;
    private static final long LOG_NANOS = 10_000_000_000L;
    private static final double PERCENT = 100;

    private final Path file;
    private final boolean resume;
    private final boolean json;
    private final boolean quiet;
    private final boolean terminal = Terminals.isError();
    private final long start = System.nanoTime();
    private Writer metrics;
    private long first;
    private long total;
    private long lastShown;

    RunLog(Path output, boolean resume, boolean json, boolean quiet) {
        this.file = output.resolve(METRICS);
        this.resume = resume;
        this.json = json;
        this.quiet = quiet;
    }

    /**
     * Steps that were made after the checkpoint are made again, so their lines go.
     *
     * @throws InvalidModelException if the file cannot be written, as all other methods
     */
    @Override
    public void started(long done, long ofTotal) {
        first = done;
        total = ofTotal;
        try {
            List<String> kept = new ArrayList<>();
            if (resume && Files.exists(file)) {
                for (String line : Files.readAllLines(file)) {
                    if (line.endsWith("}")
                            && JsonFiles.parse(file.toString(), line)
                                            .path("step")
                                            .asLong()
                                    <= done) {
                        kept.add(line);
                    }
                }
            }
            Files.write(file, kept);
            metrics = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    @Override
    public void step(StepReport report) {
        ObjectNode line = Json.object()
                .put("step", report.step())
                .put("loss", report.loss())
                .put("lr", report.rate())
                .put("grad_norm", report.gradientNorm())
                .put("tokens_per_s", report.tokensPerSecond())
                .put("rss_mib", report.rssBytes() >> 20)
                .put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        if (!Double.isNaN(report.mfu())) {
            line.put("mfu", report.mfu());
        }
        write(line);
        show(report);
    }

    private void write(ObjectNode line) {
        try {
            metrics.write(line.toString());
            metrics.write('\n');
            metrics.flush();
        } catch (IOException e) {
            throw unwritable(e);
        }
        if (json) {
            System.out.println(Json.line(line));
        }
    }

    private InvalidModelException unwritable(IOException failure) {
        return new InvalidModelException(failure, "%s: cannot be written: %s", file, IoReason.of(failure));
    }

    private void show(StepReport report) {
        long now = System.nanoTime();
        boolean due = now - lastShown >= (terminal ? TERMINAL_NANOS : LOG_NANOS) || report.step() == total;
        if (quiet || !due) {
            return;
        }
        lastShown = now;
        double perStep = (now - start) / 1e9 / (report.step() - first);
        String text = Message.localized(
                "step %,d of %,d  loss %.4f  lr %.2e  norm %.3f  %,.0f tokens/s%s  %s  %.0f s left",
                report.step(),
                total,
                report.loss(),
                report.rate(),
                report.gradientNorm(),
                report.tokensPerSecond(),
                Double.isNaN(report.mfu()) ? "" : "  MFU %.0f %%".formatted(PERCENT * report.mfu()),
                MemoryPlan.gib(report.rssBytes()),
                perStep * (total - report.step()));
        System.err.print(terminal ? "\r\u001b[K" + text : text + System.lineSeparator());
        System.err.flush();
    }

    @Override
    public void evaluated(long step, double loss) {
        write(Json.object().put("step", step).put("eval_loss", loss));
        say(Message.of("step %,d: loss %.4f on the samples that are not trained", step, loss));
    }

    @Override
    public void saved(Path checkpoint) {
        say(Message.of("saved %s", checkpoint));
    }

    @Override
    public void best(Path checkpoint, double loss) {
        say(Message.of("best: %s, loss %.4f on the samples that are not trained", checkpoint, loss));
    }

    void finished(RunEnd end) {
        switch (end) {
            case COMPLETE -> say(Message.of("done"));
            case NO_IMPROVEMENT -> say(Message.of("stopped: no improvement any more"));
            case STOPPED -> say(Message.of("stopped; go on with --resume"));
        }
    }

    /** What {@code telechat plan} would have told, against what was. */
    void memory(long planned, long peak) {
        if (peak > 0) {
            say(Message.of("memory: %s planned, %s at most", MemoryPlan.gib(planned), MemoryPlan.gib(peak)));
        }
    }

    private void say(Message message) {
        if (!quiet) {
            System.err.println((terminal ? "\r\u001b[K" : "") + message.localized());
        }
    }

    @Override
    public void close() {
        try {
            if (metrics != null) {
                metrics.close();
            }
        } catch (IOException e) {
            throw unwritable(e);
        }
    }
}
