/* A shared object that is no plugin at all. */
int bad_nothing(void);

int bad_nothing(void)
{
    return 1;
}
