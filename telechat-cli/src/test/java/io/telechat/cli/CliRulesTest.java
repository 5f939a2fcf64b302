// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.telechat.cli", importOptions = ImportOption.DoNotIncludeTests.class)
class CliRulesTest {
    @ArchTest
    static final ArchRule theDialogDoesNotKnowTheCommands = noClasses()
            .that()
            .resideInAPackage("io.telechat.cli.repl")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.telechat.cli");

    @ArchTest
    static final ArchRule commandsComputeNothing = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.nd4j..",
                    "jdk.incubator.vector..",
                    "io.telechat.core.backend.cpu..",
                    "io.telechat.core.backend.nd4j..");
}
