// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.TextFiles;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;

/** Standard streams in UTF-8, whatever the locale. */
final class StandardStreams {
    private static final RememberingStream OUT = new RememberingStream(new FileOutputStream(FileDescriptor.out));

    private StandardStreams() {}

    /** Keeps the reason of the first failure, which a print stream only says there was. */
    private static final class RememberingStream extends FilterOutputStream {
        private IOException first;

        RememberingStream(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            try {
                out.write(bytes, from, length);
            } catch (IOException e) {
                first = first == null ? e : first;
                throw e;
            }
        }
    }

    /** Why stdout could not be written; empty if it could, or if whoever read it has gone, which is no failure of ours. */
    static Optional<Message> outputFailure() {
        return System.out.checkError() && !isOutputClosed()
                ? Optional.of(OUT.first == null ? Message.of("unknown") : IoReason.of(OUT.first))
                : Optional.empty();
    }

    /** Whether the program at the other end of the pipe has gone. */
    static boolean isOutputClosed() {
        String message = OUT.first == null ? "" : String.valueOf(OUT.first.getMessage());
        return message.contains("Broken pipe") || message.contains("Connection reset");
    }

    /**
     * Installs UTF-8 output. The launcher hides the JVM's start-up warning about the incubating Vector API by parking the
     * real stderr on another descriptor, whose number it passes.
     */
    static void install() {
        System.setOut(new PrintStream(OUT, false, StandardCharsets.UTF_8));
        FileOutputStream error = new FileOutputStream(FileDescriptor.err);
        String parked = System.getProperty("telechat.stderr.fd");
        if (parked != null) {
            try {
                Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
                constructor.setAccessible(true);
                error = new FileOutputStream(constructor.newInstance(Integer.parseInt(parked)));
            } catch (ReflectiveOperationException | RuntimeException e) {
                // Without --add-opens java.base/java.io there is only the stderr that the JVM began with.
            }
        }
        System.setErr(new PrintStream(error, true, StandardCharsets.UTF_8));
    }

    /** Stdin itself; of a rank, what the launcher hands on. */
    static InputStream input() {
        return RankProcess.isOne() ? System.in : new FileInputStream(FileDescriptor.in);
    }

    /**
     * All of stdin.
     *
     * @throws io.telechat.core.InvalidInputException if it is not valid UTF-8
     */
    static String readInput() {
        try (InputStream in = input()) {
            return TextFiles.withoutMark(TextFiles.decode("stdin", in.readAllBytes(), 0));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * Hands over the lines of stdin, each as soon as it is there.
     *
     * @throws io.telechat.core.InvalidInputException if one is not valid UTF-8
     */
    static void forEachLine(Consumer<String> action) {
        try (InputStream in = new BufferedInputStream(input())) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long start = 0;
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == '\n') {
                    action.accept(line(line, start));
                    start += line.size() + 1;
                    line.reset();
                } else {
                    line.write(next);
                }
            }
            if (line.size() > 0) {
                action.accept(line(line, start));
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static String line(ByteArrayOutputStream bytes, long start) {
        String line = TextFiles.decode("stdin", bytes.toByteArray(), start);
        return start == 0 ? TextFiles.withoutMark(line) : line;
    }

    private static InvalidInputException unreadable(IOException e) {
        return new InvalidInputException(e, "stdin: cannot be read: %s", IoReason.of(e));
    }
}
