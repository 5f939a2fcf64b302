// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class CommandsTest {
    static Stream<String> names() {
        return Commands.all().getSubcommands().keySet().stream();
    }

    @Test
    void allStandUnderTheirOwnNames() {
        Commands.all().getSubcommands().forEach((name, command) -> {
            Class<?> type = command.getCommandSpec().userObject().getClass();
            assertEquals(name, type.getAnnotation(Command.class).name());
        });
    }

    @ParameterizedTest
    @MethodSource("names")
    void aCommandAloneIsWhatItIsAmongAll(String name) {
        CommandLine alone = Commands.neededFor(name, "--help").getSubcommands().get(name);
        CommandLine among = Commands.all().getSubcommands().get(name);
        assertEquals(among.getUsageMessage(), alone.getUsageMessage());
    }

    @Test
    void othersAreNotMade() {
        assertEquals(
                Set.of("chat"),
                Commands.neededFor("chat", "--prompt", "hello").getSubcommands().keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--help", "chta", "help", "completion"})
    void allAreThereWhereOthersMatter(String first) {
        List<String> arguments =
                Stream.of(first).filter(word -> !word.isEmpty()).toList();
        assertEquals(
                Commands.all().getSubcommands().keySet(),
                Commands.neededFor(arguments.toArray(String[]::new))
                        .getSubcommands()
                        .keySet());
    }
}
