// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.train.StepReport;
import io.telechat.train.TrainingListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Scalars of a run in {@code RUN/tensorboard}, for {@code tensorboard --logdir RUN}. A run that goes on begins a file of its
 * own, which says that the steps behind its checkpoint are made again; TensorBoard shows the files as one run.
 */
public final class TensorBoardFile implements TrainingListener, AutoCloseable {
    private static final String DIRECTORY = "tensorboard";
    private static final double MILLIS = 1e3;

    private final Path directory;
    private TfRecordWriter records;

    /** The file is made when the run begins. */
    public TensorBoardFile(Path run) {
        this.directory = run.resolve(DIRECTORY);
    }

    /** @throws InvalidModelException if the file cannot be made, as all others do if it cannot be written */
    @Override
    public void started(long done, long total) {
        try {
            Files.createDirectories(directory);
            records = create();
        } catch (IOException e) {
            throw unwritable(e);
        }
        write(TensorBoardEvent.version(now()));
        write(TensorBoardEvent.start(now(), done + 1));
    }

    /** The name that TensorFlow's EventsWriter gives; a second run of the same second gets a number behind it. */
    private TfRecordWriter create() throws IOException {
        String name = "events.out.tfevents.%010d.%s".formatted((long) now(), host());
        for (int i = 0; ; i++) {
            try {
                return new TfRecordWriter(directory.resolve(i == 0 ? name : name + "." + i));
            } catch (FileAlreadyExistsException e) {
                // The next number may be free.
            }
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName().replaceAll("[^A-Za-z0-9.-]", "_");
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    @Override
    public void step(StepReport report) {
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("train/loss", report.loss());
        scalars.put("train/lr", report.rate());
        scalars.put("train/grad_norm", report.gradientNorm());
        scalars.put("train/tokens_per_s", report.tokensPerSecond());
        scalars.put("train/rss_mib", (double) (report.rssBytes() >> 20));
        if (!Double.isNaN(report.mfu())) {
            scalars.put("train/mfu", report.mfu());
        }
        write(TensorBoardEvent.scalars(now(), report.step(), scalars));
    }

    @Override
    public void evaluated(long step, double loss) {
        write(TensorBoardEvent.scalars(now(), step, Map.of("eval/loss", loss)));
    }

    @Override
    public void saved(Path checkpoint) {
        // Nothing to draw.
    }

    private void write(byte[] event) {
        try {
            records.write(event);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private InvalidModelException unwritable(IOException failure) {
        return new InvalidModelException(failure, "%s: cannot be written: %s", directory, IoReason.of(failure));
    }

    private static double now() {
        return System.currentTimeMillis() / MILLIS;
    }

    @Override
    public void close() {
        try {
            if (records != null) {
                records.close();
            }
        } catch (IOException e) {
            throw unwritable(e);
        }
    }
}
