/* The glue between the ids engine and the plugin interface. */
__attribute__((visibility("default"))) const void *ec_plugin_entry_1(void);

const void *ec_plugin_entry_1(void)
{
    return 0;
}
