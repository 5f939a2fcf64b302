// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.telechat.train", importOptions = ImportOption.DoNotIncludeTests.class)
class TrainRulesTest {
    @ArchTest
    static final ArchRule knowsCoreOnly = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.telechat.infer..",
                    "io.telechat.cli..",
                    "io.telechat.core.backend.cpu..",
                    "io.telechat.core.backend.nd4j..",
                    "org.nd4j..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.telechat.train.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
