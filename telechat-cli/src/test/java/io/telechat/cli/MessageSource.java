// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** The messages of a module: every call in its sources that makes one, as the compiler's parser reads them. */
final class MessageSource {
    /** Calls that make messages, beside the constructors of our exceptions. */
    private static final Set<String> CALLS = Set.of("Message.of", "Message.localized", "KeyRules.saying");

    private static final Set<String> FOREIGN = Set.of(
            "IllegalArgumentException",
            "IllegalStateException",
            "UncheckedIOException",
            "IOException",
            "InterruptedIOException",
            "UnsupportedOperationException",
            "NoSuchElementException",
            "IndexOutOfBoundsException",
            "ArithmeticException",
            "EOFException",
            "InputMismatchException",
            "TypeConversionException",
            // What a server says to programs is in English.
            "ApiException",
            "ClientGoneException");

    /**
     * A call that makes a message.
     *
     * @param format its English text
     * @param arguments how many values go into it, or less than 0 if the source does not show that
     * @param place file and text of the call
     */
    record Call(String format, int arguments, String place) {}

    private MessageSource() {}

    /** All calls in the sources below a directory. */
    static List<Call> calls(Path sources) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(sources)) {
            files = all.filter(f -> f.toString().endsWith(".java")).sorted().toList();
        }
        List<Call> calls = new ArrayList<>();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask)
                    compiler.getTask(null, manager, null, null, null, manager.getJavaFileObjectsFromPaths(files));
            task.parse().forEach(unit -> new Scanner(unit.getSourceFile().getName(), calls).scan(unit, null));
        }
        return calls;
    }

    private static final class Scanner extends TreeScanner<Void, Void> {
        private final String file;
        private final List<Call> calls;

        Scanner(String file, List<Call> calls) {
            this.file = file;
            this.calls = calls;
        }

        @Override
        public Void visitNewClass(NewClassTree made, Void nothing) {
            String name = made.getIdentifier().toString();
            if (name.endsWith("Exception") && !FOREIGN.contains(name.substring(name.lastIndexOf('.') + 1))) {
                add(made.getArguments(), made.toString());
            }
            return super.visitNewClass(made, nothing);
        }

        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
            String name = call.getMethodSelect().toString();
            boolean isConstructor = name.equals("super") && file.endsWith("Exception.java");
            if (CALLS.contains(name) || isConstructor) {
                add(call.getArguments(), call.toString());
            }
            return super.visitMethodInvocation(call, nothing);
        }

        /** The format is the first text; what stands before it is a cause, or a kind. */
        private void add(List<? extends ExpressionTree> arguments, String text) {
            for (int i = 0; i < Math.min(2, arguments.size()); i++) {
                Optional<String> format = constant(arguments.get(i));
                if (format.isPresent()) {
                    boolean spread = arguments.size() == i + 2
                            && arguments.get(i + 1) instanceof IdentifierTree id
                            && id.getName().contentEquals("found");
                    boolean later = text.contains("KeyRules.saying");
                    int count = spread || later ? -1 : arguments.size() - i - 1;
                    calls.add(new Call(format.get(), count, file + ": " + text));
                    return;
                }
            }
        }

        /** A literal, or literals put together. */
        private static Optional<String> constant(ExpressionTree tree) {
            return switch (tree) {
                case LiteralTree literal when literal.getValue() instanceof String text -> Optional.of(text);
                case BinaryTree sum ->
                    constant(sum.getLeftOperand())
                            .flatMap(left -> constant(sum.getRightOperand()).map(right -> left + right));
                default -> Optional.empty();
            };
        }
    }
}
