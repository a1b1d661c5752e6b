/* Built for a later major: it has that one's entry only. */
__attribute__((visibility("default"))) const void *ec_plugin_entry_2(void);

const void *ec_plugin_entry_2(void)
{
    return 0;
}
