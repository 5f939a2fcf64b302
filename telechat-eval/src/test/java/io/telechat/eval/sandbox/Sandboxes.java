// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assumptions.abort;

import io.telechat.core.InvalidRequestException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The runners of these tests; where one cannot be had the test skips and says why. */
final class Sandboxes {
    private static final String SYSTEM_PYTHON = "/usr/bin/python3";

    private Sandboxes() {}

    static Limits within(int millis) {
        return Limits.DEFAULT.withTime(Duration.ofMillis(millis));
    }

    /** As whoever runs the tests. */
    static ProgramRunner sandboxed(Limits limits) {
        try {
            return ProgramRunner.sandboxed("python3", limits);
        } catch (InvalidRequestException e) {
            return abort(e.getMessage());
        }
    }

    /** As a user without any privilege, where root runs the tests; otherwise {@link #sandboxed} is that. */
    static Optional<ProgramRunner> sandboxedOfUser(Limits limits) {
        if (!System.getProperty("user.name").equals("root") || !Files.exists(Path.of(SYSTEM_PYTHON))) {
            return Optional.empty();
        }
        List<String> unshare = List.of(
                "setpriv",
                "--reuid=12345",
                "--regid=12345",
                "--clear-groups",
                "--bounding-set=-all",
                "--inh-caps=-all",
                "unshare",
                "--user",
                "--map-root-user");
        return Optional.of(
                ProgramRunner.enclosed(Python.find(SYSTEM_PYTHON), limits, List.of(new Enclosure(unshare, ""))));
    }

    /** The enclosures of a shell in which {@code setting} was made. */
    static List<Enclosure> under(String setting) {
        return Stream.of(Enclosure.OF_ROOT, Enclosure.OF_USER)
                .map(enclosure -> {
                    List<String> unshare = new ArrayList<>(List.of("sh", "-c", setting + "; exec \"$@\"", "sh"));
                    unshare.addAll(enclosure.unshare());
                    return new Enclosure(unshare, enclosure.identity());
                })
                .toList();
    }

    static ProgramRunner unsafe(Limits limits) {
        try {
            return ProgramRunner.unsafe("python3", limits);
        } catch (InvalidRequestException e) {
            return abort(e.getMessage());
        }
    }

    /**
     * Runs programs side by side.
     *
     * @param check of each and its verdict
     */
    static void each(ProgramRunner runner, List<String> programs, BiConsumer<String, Verdict> check) {
        List<Verdict> verdicts = runner.runAll(programs);
        assertAll(IntStream.range(0, programs.size())
                .mapToObj(i -> () -> check.accept(programs.get(i), verdicts.get(i))));
    }
}
