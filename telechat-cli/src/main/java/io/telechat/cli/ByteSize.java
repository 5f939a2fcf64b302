// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes as people write it: {@code 1GiB}, {@code 512M}, {@code 1000000}. K, M, G, T are powers of 1024. */
record ByteSize(long bytes) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,15})\\s*([KMGT]?)(I?B)?");

    /** For picocli. */
    static final class Converter implements ITypeConverter<ByteSize> {
        @Override
        public ByteSize convert(String text) {
            Matcher matcher = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
            if (!matcher.matches()) {
                throw new TypeConversionException(Message.localized("'%s' is no size; write 512MiB or 2GiB", text));
            }
            int shift = matcher.group(2).isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(matcher.group(2)));
            long number = Long.parseLong(matcher.group(1));
            if (number > Long.MAX_VALUE >> shift) {
                throw new TypeConversionException(Message.localized("'%s' is too large", text));
            }
            return new ByteSize(number << shift);
        }
    }
}
