// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Standard streams in UTF-8, whatever the locale. */
final class StandardStreams {
    private StandardStreams() {}

    /**
     * Installs UTF-8 output. The launcher hides the JVM's start-up warning about the incubating Vector API by parking the
     * real stderr on another descriptor, whose number it passes.
     */
    static void install() {
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8));
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

    /**
     * All of stdin.
     *
     * @throws InvalidModelException if it is not valid UTF-8
     */
    static String readInput() {
        try (InputStream in = new FileInputStream(FileDescriptor.in)) {
            return decode(in.readAllBytes(), 0);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * Hands over the lines of stdin, each as soon as it is there.
     *
     * @throws InvalidModelException if one is not valid UTF-8
     */
    static void forEachLine(Consumer<String> action) {
        try (InputStream in = new BufferedInputStream(new FileInputStream(FileDescriptor.in))) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long start = 0;
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == '\n') {
                    action.accept(decode(line.toByteArray(), start));
                    start += line.size() + 1;
                    line.reset();
                } else {
                    line.write(next);
                }
            }
            if (line.size() > 0) {
                action.accept(decode(line.toByteArray(), start));
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static InvalidModelException unreadable(IOException e) {
        return new InvalidModelException("stdin: cannot be read: " + e.getMessage(), e);
    }

    /**
     * @param start of the bytes within stdin
     * @throws InvalidModelException if the bytes are not valid UTF-8, saying where
     */
    private static String decode(byte[] bytes, long start) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(buffer)
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidModelException(
                    "stdin: not valid UTF-8 at byte %d; convert it, for example with iconv -t UTF-8"
                            .formatted(start + buffer.position()),
                    e);
        }
    }
}
