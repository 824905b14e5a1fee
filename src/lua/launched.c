/*
 * What launchers leave in the environment of the processes that they start. It goes on to what those start, by
 * os.execute or io.popen, which must not take itself for one of them: two processes would be the same rank. So the
 * first one to come writes down whose it is.
 */
#include "lua/launched.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"

#define OWNER "NNLUA_RANK"

extern char **environ;

/* The owner, and which launch and rank it is: where a rank starts a launcher, that one's processes have others. */
static void owner_text(char *text, size_t size, int process)
{
  static const char *const names[] = {"PMIX_NAMESPACE", "PMIX_RANK", "HYDI_CONTROL_FD", "PMI_FD", "PMI_RANK"};
  text_format(text, size, "%d", process);
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    const size_t n = strlen(text);
    const char *value = getenv(names[k]);
    text_format(text + n, size - n, " %s", value ? value : "-");
  }
}

void launched_claim(void)
{
  char text[400];
  const char *owner = getenv(OWNER);
  if (owner && atoi(owner) != (int)getpid()) {
    owner_text(text, sizeof text, atoi(owner));
    if (strcmp(text, owner) == 0) launched_forget();
  }
  if (!getenv("PMIX_RANK") && !getenv("PMI_RANK")) return;
  owner_text(text, sizeof text, (int)getpid());
  setenv(OWNER, text, 1);
}

static bool is_of_a_launcher(const char *variable)
{
  static const char *const beginnings[] = {
    "OMPI_COMM_", "OMPI_UNIVERSE_SIZE=", "OMPI_MCA_ess", "OMPI_MCA_orte_", "PMIX_", "PMI_", "ORTE_",
    "HYDI_",      "MPI_LOCALNRANKS=",    OWNER "="};
  static const char users_own[] = "OMPI_MCA_orte_default_hostfile=";
  for (size_t k = 0; k < sizeof beginnings / sizeof *beginnings; k++)
    if (strncmp(variable, beginnings[k], strlen(beginnings[k])) == 0)
      return strncmp(variable, users_own, sizeof users_own - 1) != 0;
  return false;
}

void launched_forget(void)
{
  for (char **at = environ; *at;) {
    char name[128];
    const size_t n = strcspn(*at, "=");
    if (!is_of_a_launcher(*at) || n >= sizeof name) {
      at++;
      continue;
    }
    memcpy(name, *at, n);
    name[n] = '\0';
    unsetenv(name); /* which moves the others up */
  }
}
