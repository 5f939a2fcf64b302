// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.cli.repl.StateFiles;
import io.telechat.core.checkpoint.DirectoryTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code telechat clean}. */
@Command(
        name = "clean",
        description = {
            "Remove what telechat has left outside of the directories it was given: the lines typed in dialogs, and"
                    + " what interrupted programs have left in the folder for temporary files.",
            "Models, data and runs stay."
        },
        mixinStandardHelpOptions = true)
final class CleanCommand implements Callable<Integer> {
    @Option(names = "--dry-run", description = "say what would go, and leave it")
    private boolean dryRun;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws IOException {
        remove(StateFiles.directory());
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        try (Stream<Path> files = Files.list(temporary)) {
            for (Path left : files.filter(CleanCommand::isOurs).toList()) {
                remove(left);
            }
        }
        return ExitCode.OK;
    }

    private static boolean isOurs(Path path) {
        try {
            return path.getFileName().toString().startsWith(DemoModel.PREFIX)
                    && Files.getOwner(path).getName().equals(System.getProperty("user.name"));
        } catch (IOException e) {
            return false;
        }
    }

    private void remove(Path path) throws IOException {
        if (Files.exists(path)) {
            System.out.println((dryRun ? "would remove " : "removed ") + path);
            if (!dryRun) {
                DirectoryTree.delete(path);
            }
        }
    }
}
